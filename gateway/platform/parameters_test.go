package platform_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/platform"
	"segue/interaction"
)

// get sends a request that is refused before anybody asks Temporal.
func get(caller *auth.Caller, path string, headers http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(auth.With(context.Background(), caller), http.MethodGet, path, http.NoBody)
	request.Header = headers
	answer := httptest.NewRecorder()
	platform.New(platform.Options{Client: &client.Client{}}).ServeHTTP(answer, request)
	return answer
}

// The key of a command of an array is the array's and its number: the array is refused as a whole if the
// last ones would be too long.
func TestAKeyThatIsTooLongForALaterElementRefusesTheArray(t *testing.T) {
	commands := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"command":"hold"},`, n), ",") + "]"
	}
	for _, test := range []struct{ commands, longest int }{{1, 253}, {10, 253}, {11, 252}, {101, 251}, {1000, 251}} {
		key := strings.Repeat("k", test.longest+1)
		want := fmt.Sprintf("Idempotency-Key: has %d bytes; send at most %d", len(key), test.longest)
		for path, body := range map[string]string{
			"/v1/interactions/c1/commands": commands(test.commands),
			"/v1/interactions":             `{"id":"c1","channel":"chat","commands":` + commands(test.commands) + `}`,
		} {
			response := post(t, callerOf(interaction.RolePlatform), path, strings.NewReader(body), "Idempotency-Key", key)
			require.Equal(t, 422, response.StatusCode, path)
			text := bodyOf(t, response)
			require.Contains(t, text, want)
			require.Contains(t, text, `"/header/Idempotency-Key"`)
		}
	}
	body := `{"id":"c1","channel":"chat","event_id":"` + strings.Repeat("k", 254) + `","commands":[{"command":"hold"}]}`
	response := post(t, callerOf(interaction.RolePlatform), "/v1/interactions", strings.NewReader(body))
	require.Equal(t, 422, response.StatusCode)
	require.Contains(t, bodyOf(t, response), "event_id: has 254 bytes; send at most 253")
}

func TestASizeIsThatOfWhatTheClientSends(t *testing.T) {
	large := `{"command":"hold","x":"` + strings.Repeat("x", 256<<10) + `"}`
	for path, body := range map[string]string{
		"/v1/interactions/c1/commands/hold": large,
		"/v1/interactions":                  large,
	} {
		response := post(t, callerOf(interaction.RolePlatform), path, strings.NewReader(body))
		require.Equal(t, 413, response.StatusCode, path)
	}
	response := post(t, callerOf(interaction.RolePlatform), "/v1/interactions/c1/commands", strings.NewReader("["+large+"]"))
	require.Equal(t, 200, response.StatusCode)
	require.Contains(t, bodyOf(t, response), `"urn:segue:too-large"`)
}

func TestAParameterThatIsGivenAgainIsRefused(t *testing.T) {
	for _, query := range []string{"queue=a&queue=b", "limit=1&limit=2", "open=true&open=true", "state=&state=queued", "state=queued&state=", "channel=chat&channel="} {
		answer := get(callerOf(interaction.RolePlatform), "/v1/interactions?"+query, http.Header{})
		require.Equal(t, 422, answer.Code, query)
		name, _, _ := strings.Cut(query, "=")
		require.Contains(t, answer.Body.String(), `"/query/`+name+`"`)
	}
	answer := get(callerOf(interaction.RolePlatform), "/v1/interactions?state=queued&state=nope", http.Header{})
	require.Equal(t, 422, answer.Code)
	require.Contains(t, answer.Body.String(), `"/query/state/1"`)
	require.Equal(t, 422, get(callerOf(interaction.RolePlatform), "/v1/events?include=state&include=state", http.Header{}).Code)
}

func TestTwoHeadersThatNameDifferentContactCenters(t *testing.T) {
	caller := callerOf(interaction.RolePlatform)
	caller.ContactCenters = []string{"berlin", "paris"}
	for name, headers := range map[string]http.Header{
		"both":  {"Segue-Contact-Center": {"berlin"}, "Contactcenterid": {"paris"}},
		"twice": {"Contactcenterid": {"paris", "paris"}},
	} {
		for _, path := range []string{"/v1/interactions", "/v1/interactions/c1", "/v1/events"} {
			answer := get(caller, path, headers)
			require.Equal(t, 400, answer.Code, "%s %s", name, path)
			require.Contains(t, answer.Body.String(), "urn:segue:malformed")
		}
	}
	answer := get(caller, "/v1/interactions?contact_center=berlin", http.Header{"Contactcenterid": {"paris"}})
	require.Equal(t, 400, answer.Code)
	answer = get(caller, "/v1/interactions/c1", http.Header{"Contactcenterid": {"rome"}})
	require.Equal(t, 404, answer.Code, "a foreign one")
}

func TestARedeliveryRefusesUnknownFields(t *testing.T) {
	for _, body := range []string{`{"rerende":true}`, `{"rerender":true,"limit":1}`, `{"rerender":1}`} {
		response := post(t, callerOf(interaction.RolePlatform), "/v1/interactions/c1/deliveries/d1/redeliver", strings.NewReader(body))
		require.Equal(t, 422, response.StatusCode, body)
	}
}

// A token counts for a minute after its exp, since clocks differ. A stream would end at once.
func TestAnExpiredCredentialOpensNoStream(t *testing.T) {
	caller := callerOf(interaction.RoleAdmin)
	caller.Expires = time.Now().Add(-time.Second)
	answer := get(caller, "/v1/events", http.Header{})
	require.Equal(t, 401, answer.Code)
	require.NotEmpty(t, answer.Header().Get("WWW-Authenticate"))
	response := post(t, caller, "/v1/feed", strings.NewReader("{}\n"))
	require.Equal(t, 401, response.StatusCode)
}
