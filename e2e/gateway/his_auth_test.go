package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// hisSocket opens a WebSocket at /his with the headers of its upgrade.
func hisSocket(t *testing.T, headers ...string) *websocket.Conn {
	t.Helper()
	given := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		given.Add(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, served.url+"/his", &websocket.DialOptions{HTTPHeader: given, HTTPClient: client})
	require.NoError(t, err)
	if response.Body != nil {
		defer response.Body.Close()
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// hisAsk sends a frame, and returns the next frame and the code of its failure; empty for a success.
func hisAsk(t *testing.T, conn *websocket.Conn, frame string) (answer map[string]any, code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(frame)))
	_, raw, err := conn.Read(ctx)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &answer), "%s", raw)
	failure, _ := answer["failure"].(map[string]any)
	code, _ = failure["code"].(string)
	return answer, code
}

func prepareFrame(id, password string) string {
	return fmt.Sprintf(`{"command":"prepareSession","data":{"agent":{"id":%q,"password":%q},"override":true}}`, id, password)
}

// TestWhoOpensASessionOfHIS has the credentials of prepareSession and of the upgrade.
func TestWhoOpensASessionOfHIS(t *testing.T) {
	good, expired := token(nil), token(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()})
	for name, row := range map[string]struct {
		upgrade      []string
		id, password string
		code         string
	}{
		"a user":                           {id: userName, password: userPassword},
		"a user of a contact center":       {id: "acme/" + userName, password: userPassword},
		"a user of another contact center": {id: "umbrella/" + userName, password: userPassword, code: "NOT_PERMITTED"},
		"a wrong password":                 {id: userName, password: "guess", code: "NOT_AUTHENTICATED"},
		"no password":                      {id: userName, code: "NOT_AUTHENTICATED"},
		"nobody":                           {code: "INVALID_REQUEST"},
		"a token as the password":          {id: "whoever", password: good},
		"an expired token":                 {id: "ann", password: expired, code: "NOT_AUTHENTICATED"},
		"a forged token":                   {id: "ann", password: good + "x", code: "NOT_AUTHENTICATED"},
		"an API key as the password":       {id: "ann", password: ann.key(), code: "NOT_AUTHENTICATED"},
		"an API key of the upgrade":        {upgrade: ann.headers(), id: "ann", code: "NOT_AUTHENTICATED"},
		"a password of the upgrade":        {upgrade: basic(userName, userPassword), id: userName, code: "NOT_AUTHENTICATED"},
		"a token of the upgrade":           {upgrade: bearer(good)},
		"its own agent":                    {upgrade: bearer(good), id: "acme/ann"},
		"another agent":                    {upgrade: bearer(good), id: "bob", code: "NOT_PERMITTED"},
		"another contact center":           {upgrade: bearer(good), id: "umbrella/ann", code: "NOT_PERMITTED"},
		"of two contact centers, one":      {id: "umbrella/ann", password: token(map[string]any{"contact_centers": []string{"acme", "umbrella"}})},
		"of two contact centers, none":     {id: "ann", password: token(map[string]any{"contact_centers": []string{"acme", "umbrella"}}), code: "INVALID_REQUEST"},
		"an admin":                         {id: "ann", password: token(map[string]any{"role": "admin"}), code: "NOT_PERMITTED"},
		"a supervisor":                     {id: "ann", password: token(map[string]any{"role": "supervisor", "sub": "sue"})},
	} {
		t.Run(name, func(t *testing.T) {
			conn := hisSocket(t, row.upgrade...)
			answer, code := hisAsk(t, conn, prepareFrame(row.id, row.password))
			require.Equal(t, row.code, code, "%v", answer)
			require.Equal(t, row.code == "", answer["result"] == "success")
			require.NotContains(t, fmt.Sprint(answer["failure"]), "guess")
			require.NoError(t, conn.CloseNow())
		})
	}
	require.NotContains(t, served.log.String(), userPassword)
}

// TestASessionOfHISEndsWithItsCredential: a token that expires closes the WebSocket.
func TestASessionOfHISEndsWithItsCredential(t *testing.T) {
	conn := hisSocket(t)
	_, code := hisAsk(t, conn, prepareFrame("zoe", token(map[string]any{"sub": "zoe", "exp": time.Now().Add(8 * time.Second).Unix()})))
	require.Empty(t, code)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			require.Equal(t, websocket.StatusPolicyViolation, websocket.CloseStatus(err), "%v", err)
			return
		}
	}
}

// TestNobodyReachesAnothersObjects: the session of another agent, and an interaction of another contact
// center, are not found.
func TestNobodyReachesAnothersObjects(t *testing.T) {
	elsewhere.must(t, 201, http.MethodPost, "/v1/interactions", `{"id":"his-foreign","channel":"inbound","commands":[{"command":"offer","agent":"ann"}]}`)
	mine, other := hisSocket(t), hisSocket(t)
	sessionOf := func(conn *websocket.Conn, agent string) string {
		answer, code := hisAsk(t, conn, prepareFrame(agent, token(map[string]any{"sub": agent})))
		require.Empty(t, code, "%v", answer)
		data, _ := answer["data"].(map[string]any)
		id, _ := data["sessionId"].(string)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			_, raw, err := conn.Read(ctx)
			cancel()
			require.NoError(t, err)
			require.NotContains(t, string(raw), "his-foreign")
			if strings.Contains(string(raw), "session.initialized") {
				return id
			}
		}
	}
	its, others := sessionOf(mine, "ann"), sessionOf(other, "bob")
	for _, target := range []string{others, others + ".c-1", its + ".c-1.his-foreign"} {
		command := []string{"session.logout", "channel.dial", "interaction.accept"}[strings.Count(target, ".")]
		_, code := hisAsk(t, mine, fmt.Sprintf(`{"command":%q,"target":%q,"data":{"destination":"+1"}}`, command, target))
		require.Equal(t, "NOT_FOUND", code, target)
	}
}
