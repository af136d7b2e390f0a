package platform_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

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
	platform.New(platform.Options{}).ServeHTTP(answer, request)
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

// The answer must not say whether another contact center has the interaction.
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
