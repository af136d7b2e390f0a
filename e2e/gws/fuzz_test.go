package gws_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fieldsOfBodies are all fields that a body may have.
var fieldsOfBodies = []string{"operationName", "referenceId", "nickname", "reason", "disposition", "queueName", "queueUri", "userData", "key", "workbin",
	"workbinId", "workbinIds", "userId", "userUri", "targetUri", "targetPath", "destination", "text", "comment", "id", "channels", "place", "loginCode",
	"queue", "contact_center", "notReadyReason", "state", "unknown"}

// valuesOfBodies are values of right and wrong types.
var valuesOfBodies = []string{`null`, `true`, `0`, `-1`, `1e400`, `12345678901234567890123`, `""`, `"x"`, `"ann"`, `"carl"`, `"drafts"`, `"/users/bob"`,
	`"http://segue/api/v2/users/carl"`, `"http://segue/api/v2/queues/"`, `"%zz"`, `"//"`, `"\u0000"`, `"\ud800"`, `"` + strings.Repeat("x", 300) + `"`,
	`"` + strings.Repeat("ä", 9000) + `"`, `[]`, `["x",1,null]`, `{}`, `{"a":null}`, `{"phoneNumber":"+49305"}`, `{"phoneNumber":7}`, `{"phoneNumber":""}`,
	`{"a":{"b":[{"c":1}]}}`, `{"code":"sold","notes":"n"}`, `{"name":"drafts","id":7}`, `[[[[[[]]]]]]`, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	`{"":""}`, `"acme"`, `"umbrella"`, `["voice"]`, `["voice","telex"]`, `"voice"`, `"Ready"`}

// randomBody makes a body of random fields with random values.
func randomBody(random *rand.Rand) string {
	var fields []string
	if random.IntN(8) > 0 {
		fields = append(fields, fmt.Sprintf(`"operationName":%q`, names[random.IntN(len(names))]))
	}
	for _, n := range random.Perm(len(fieldsOfBodies))[:random.IntN(5)] {
		if n > 0 || len(fields) == 0 {
			fields = append(fields, fmt.Sprintf("%q:%s", fieldsOfBodies[n], valuesOfBodies[random.IntN(len(valuesOfBodies))]))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// names are the names of operations, of sessions and workbins too.
var names = func() []string {
	names := []string{"Ready", "NotReady", "StartContactCenterSession", "EndContactCenterSession", "Subscribe", "Unsubscribe", "PullChat", "PullWorkitem",
		"AddChat", "AddEmail", "AddOpenmedia", "AddWorkitem", "Redirect", "accept", "ACCEPT"}
	for _, o := range operations {
		if o.method == "" && o.name != "" {
			names = append(names, o.name)
		}
	}
	return names
}()

// TestRandomBodiesNeverFail sends random bodies to an interaction that nobody else changes. No answer is a
// failure of the server, every answer is well-formed, and the interaction changes only with statusCode
// 0 or 7. SEGUE_FUZZ is how many bodies each path gets; SEGUE_SEED repeats a run.
func TestRandomBodiesNeverFail(t *testing.T) {
	random := rand.New(rand.NewPCG(seed(t), 0))
	rounds, err := strconv.Atoi(os.Getenv("SEGUE_FUZZ"))
	if err != nil {
		rounds = 30
	}
	for n, path := range []string{"/me/interactions/{id}", "/interactions/{id}", "/me", "/me/workbins/drafts", "/me/workbins/drafts?workbinIds=a,b", "/me/channels/voice", "/me/devices/voice"} {
		t.Run(strings.Trim(strings.ReplaceAll(path, "/", "-"), "-"), func(t *testing.T) {
			for round := range rounds {
				f := &fuzzed{id: fmt.Sprintf("fuzzed-%d-%d", n, round/20)}
				if round%20 == 0 {
					_, err := start(f.id, `"channel":"email","queue":"sales"`, offer, accept)
					require.NoError(t, err)
				}
				method := http.MethodPost
				if strings.HasPrefix(path, "/interactions") {
					method = http.MethodPut
				}
				f.send(t, method, "/api/v2"+strings.ReplaceAll(path, "{id}", f.id), randomBody(random))
			}
		})
	}
	ann.must(t, 200, 0, http.MethodPost, "/api/v2/me", `{"operationName":"EndContactCenterSession"}`)
	requireNoDefect(t)
}

// fuzzed is an interaction that gets random bodies.
type fuzzed struct{ id string }

func (f *fuzzed) send(t *testing.T, method, path, body string) {
	t.Helper()
	before := f.revision(t)
	a, err := ann.send(method, path, body)
	require.NoError(t, err)
	what := fmt.Sprintf("%s %s %.400s is answered with %d %s", method, path, body, a.Status, a.Raw)
	require.Less(t, a.Status, 500, what)
	require.True(t, json.Valid(a.Raw), what)
	require.GreaterOrEqual(t, a.code(), 0, what)
	require.Contains(t, []int{0, 1, 2, 3, 5, 6, 7, 10, 18}, a.code(), what)
	if a.code() != 0 && a.code() != 7 {
		require.Equal(t, before, f.revision(t), "it changes what it refuses: "+what)
		require.Equal(t, "error", a.Body["status"], what)
		require.NotEmpty(t, a.Body["statusMessage"], what)
	} else {
		require.Equal(t, 200, a.Status, what)
	}
}

func (f *fuzzed) revision(t *testing.T) float64 {
	t.Helper()
	a, err := thePlatform.send(http.MethodGet, "/v1/interactions/"+f.id, "")
	require.NoError(t, err)
	revision, _ := a.Body["revision"].(float64)
	require.Positive(t, revision, "%s", a.Raw)
	return revision
}
