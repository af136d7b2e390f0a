package gws_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
)

// FuzzBodies sends any body to an operation, an update and a workbin: it is never a defect of the face,
// and each answer has the form of GWS.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"operationName":"Transfer","userUri":"/users/%zz","targetUri":"queues/","destination":{"phoneNumber":""}}`,
		`{"operationName":"PlaceInWorkbin","workbin":{"a":[1,{"b":null}]}}`, `{"operationName":"PlaceInWorkbin","workbinId":"{\"a\":1e999}"}`,
		`{"operationName":"SetDisposition","disposition":{"code":"","name":"x","id":7,"notes":[]}}`, `{"operationName":"DeleteUserDataPair","key":"\u0000"}`,
		`{"operationName":"Reply","quoteOriginal":true,"userData":{"":{}},"referenceId":1e5}`, `{"operationName":"PullInteraction","id":"e1","referenceId":"ü"}`,
		"{\"operationName\":\"PlaceInQueue\"\n\"queueName\":\"sales\"}", `{"userData":{},"disposition":"","comment":"\ud800"}`, `null`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		w.start("e1", "email", `offer {"agent":"anna"}`, `accept {"agent":"anna"}`)
		for _, request := range []string{"POST /api/v2/me/interactions/e1", "PUT /api/v2/interactions/e1", "POST /api/v2/me/workbins/later"} {
			method, path, _ := strings.Cut(request, " ")
			r := httptest.NewRequestWithContext(auth.With(context.Background(), caller("anna")), method, path, strings.NewReader(string(body)))
			r.Header.Set("Content-Type", "application/json")
			out := httptest.NewRecorder()
			w.face.ServeHTTP(out, r)
			a := decoded(t, out)
			require.Contains(t, []int{200, 400, 404, 413}, a.Code, a.Body.String())
			require.NotEqual(t, 4.0, a.body["statusCode"], a.Body.String())
			if a.Code != 400 {
				require.True(t, json.Valid(body) || len(strings.TrimSpace(string(body))) == 0)
			}
		}
	})
}
