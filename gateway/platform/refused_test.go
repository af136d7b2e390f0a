package platform_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/platform"
	"segue/gateway/problem"
	"segue/interaction"
)

// post sends a request of a caller to the API without Temporal: all that is tested here is refused
// before.
func post(t *testing.T, caller *auth.Caller, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	request := httptest.NewRequestWithContext(auth.With(context.Background(), caller), http.MethodPost, path, body)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	platform.New(platform.Options{Client: &client.Client{}}).ServeHTTP(answer, request)
	return answer.Result()
}

func bodyOf(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func callerOf(role interaction.Role) *auth.Caller {
	c := &auth.Caller{Name: "key:test", User: "test", Role: role, ContactCenters: []string{"berlin"}}
	if role == interaction.RoleAgent {
		c.Agent, c.User = "ann", "ann"
	}
	return c
}

// A line of a feed is refused as the same single command is.
func TestLinesOfAFeedThatAreRefused(t *testing.T) {
	one := callerOf(interaction.RoleAdmin)
	two := callerOf(interaction.RoleAdmin)
	two.ContactCenters = []string{"berlin", "paris"}
	for name, test := range map[string]struct {
		caller *auth.Caller
		line   string
		status int
		kind   string
	}{
		"too large":              {one, `{"interaction":"c1","command":"hold","a":"` + strings.Repeat("x", 1<<20) + `"}`, 413, problem.TooLarge},
		"no object":              {one, `7`, 400, problem.Malformed},
		"no contact center":      {two, `{"interaction":"c1","command":"hold"}`, 400, problem.ContactCenterRequired},
		"foreign interaction":    {one, `{"interaction":"c1","command":"hold","contact_center":"rome"}`, 404, problem.NotFound},
		"start in a foreign one": {one, `{"interaction":"c1","command":"start","contact_center":"rome","channel":"chat"}`, 403, problem.NotPermitted},
	} {
		t.Run(name, func(t *testing.T) {
			response := post(t, test.caller, "/v1/feed", strings.NewReader(test.line+"\n"))
			require.Equal(t, 200, response.StatusCode)
			first, _, _ := strings.Cut(bodyOf(t, response), "\n")
			var result struct {
				Line    int
				Status  string
				Problem struct {
					Type   string
					Status int
				}
			}
			require.NoError(t, json.Unmarshal([]byte(first), &result), first)
			require.Equal(t, 1, result.Line)
			require.Equal(t, "rejected", result.Status)
			require.Equal(t, problem.Prefix+test.kind, result.Problem.Type)
			require.Equal(t, test.status, result.Problem.Status)
		})
	}
}

// slowBody ends as the server ends a body that does not arrive in time.
type slowBody struct{}

func (slowBody) Read([]byte) (int, error) {
	time.Sleep(30 * time.Second)
	return 0, problem.New(problem.Timeout, "the body did not arrive in time")
}

func TestAFeedThatPausesSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response := post(t, callerOf(interaction.RoleAdmin), "/v1/feed", io.MultiReader(strings.NewReader("7\n"), slowBody{}))
		require.Equal(t, "close", response.Header.Get("Connection"), "the rest of the body is no request")
		lines := strings.Split(strings.TrimSpace(bodyOf(t, response)), "\n")
		require.Len(t, lines, 2)
		require.Contains(t, lines[1], `"summary"`)
		require.Contains(t, lines[1], "urn:segue:timeout")
	})
}

func TestABodyThatTakesTooLongIsATimeout(t *testing.T) {
	late := problem.New(problem.Timeout, "the body did not arrive in time")
	for _, path := range []string{"/v1/interactions", "/v1/interactions/c1/commands", "/v1/interactions/c1/commands/hold", "/v1/deliveries/redeliver"} {
		response := post(t, callerOf(interaction.RoleAdmin), path, io.MultiReader(strings.NewReader(`{"a`), iotest.ErrReader(late)))
		require.Equal(t, 408, response.StatusCode, path)
		require.Contains(t, bodyOf(t, response), "urn:segue:timeout")
		response = post(t, callerOf(interaction.RoleAdmin), path, io.MultiReader(strings.NewReader(`{"a`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		require.Equal(t, 400, response.StatusCode, path)
	}
}

func TestNobodyButThePlatformNamesAnother(t *testing.T) {
	for by, status := range map[string]int{
		`{"id":"bob"}`: 403, `{"id":"ann","role":"supervisor"}`: 403, `{"role":"platform"}`: 403,
		`"bob"`: 422, `"ann"`: 422, `[]`: 422, `7`: 422, `{"role":7}`: 422,
	} {
		response := post(t, callerOf(interaction.RoleAgent), "/v1/interactions/c1/commands/hold", strings.NewReader(`{"by":`+by+`}`))
		require.Equal(t, status, response.StatusCode, by)
		require.NotEmpty(t, response.Header.Get("Idempotency-Key"))
	}
}

// Nobody learns which interactions another contact center has.
func TestAForeignInteractionIsLikeNone(t *testing.T) {
	const none = "No such interaction: check its id and its contact center, or start it."
	for _, path := range []string{"/commands/hold", "/commands", "/deliveries/d1/redeliver"} {
		body := `{}`
		if path == "/commands" {
			body = `[{"command":"hold"}]`
		}
		response := post(t, callerOf(interaction.RoleAdmin), "/v1/interactions/c1"+path, strings.NewReader(body), "Segue-Contact-Center", "paris")
		require.Equal(t, 404, response.StatusCode, path)
		require.Contains(t, bodyOf(t, response), none, path)
	}
}
