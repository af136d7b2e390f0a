package engagement_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRequest sends anything: the answer is JSON in the documented form, and only a 200 has an effect.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][2]string{
		{"", `{"ixnProfile":{"visitID":"v1"}}`}, {"ixnProfile=%7B%22ixnId%22:1%7D", ""}, {"", `ixnProfile={"visitID":"v"}&x`}, {"", "\ufeff{"},
		{"contact_center=x", `{"ixnId":"a","contact_center":["y"]}`}, {"", `{"ixnProfile":"{\"visitId\":\"v\"}"}`}, {"%", `{"visitID":1e400}`},
	} {
		f.Add(seed[0], seed[1], "k")
	}
	f.Fuzz(func(t *testing.T, query, body, key string) {
		for _, path := range []string{"/server/data/gateway/engage", "/backend/data/gateway/noengage"} {
			w := newWorld(t)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
			r.URL.RawQuery = query
			r.Header["Idempotency-Key"] = []string{key}
			answer := w.serve(w.face.Strategies(), r)
			require.Contains(t, []int{200, 400, 413}, answer.code, answer)
			require.Equal(t, answer.code == 200, answer.fields["status"] == "OK")
			require.Equal(t, answer.code == 200, w.starts == 1)
		}
	})
}
