package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway"
	"segue/gateway/cometd"
	"segue/gateway/stopping"
)

const (
	hello       = `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling","websocket"]}]`
	notifyingAt = "/api/v2/notifications"
)

// bayeux sends messages to a server by POST, and returns the replies.
func bayeux(t *testing.T, with *http.Client, url, body string, headers ...string) (*http.Response, []map[string]any) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := with.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var replies []map[string]any
	require.NoError(t, json.Unmarshal(text, &replies), "%s", text)
	return response, replies
}

func connectOf(id string) string {
	return `[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"` + id + `"}]`
}

// frame writes a frame, if there is one, and returns the next.
func frame(t *testing.T, conn *websocket.Conn, text string) []map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if text != "" {
		require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(text)))
	}
	_, read, err := conn.Read(ctx)
	require.NoError(t, err)
	var replies []map[string]any
	require.NoError(t, json.Unmarshal(read, &replies), "%s", read)
	return replies
}

// TestHeldConnectsAndSocketsOutliveTheBoundsOfRequests: what bounds a body ends with the body, and a
// connection that is taken over has none of the server's bounds.
func TestHeldConnectsAndSocketsOutliveTheBoundsOfRequests(t *testing.T) {
	const bound = 500 * time.Millisecond
	server := cometd.New(cometd.Options{Timeout: 5 * bound, Stopping: stopping.Done, Grants: func(*cometd.Session, string) bool { return true }})
	defer server.Close()
	log := &lines{}
	w := startWhole(t, guarded) // for its instruments alone
	s, err := gateway.Start(server, gateway.Bounds{Headers: bound, Body: bound, Idle: bound}, config.GatewayTLS{}, 0, slog.New(slog.NewJSONHandler(log, nil)), w.probe.Instruments)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop()) }()
	with := &http.Client{Transport: &http.Transport{}}
	defer with.CloseIdleConnections()
	url := "http://" + s.Listener.Addr().String() + notifyingAt
	_, replies := bayeux(t, with, url, hello)
	polling := replies[0]["clientId"].(string)
	begun := time.Now()
	_, replies = bayeux(t, with, url, connectOf(polling))
	require.Equal(t, true, replies[0]["successful"])
	require.GreaterOrEqual(t, time.Since(begun), 4*bound, "it was held")

	conn, response, err := websocket.Dial(t.Context(), url, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	defer conn.CloseNow()
	id := frame(t, conn, hello)[0]["clientId"].(string)
	begun = time.Now()
	replies = frame(t, conn, strings.Replace(connectOf(id), "long-polling", "websocket", 1))
	require.Equal(t, true, replies[0]["successful"])
	require.GreaterOrEqual(t, time.Since(begun), 4*bound)
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"status":101`) }, time.Minute, time.Millisecond)
}

func values(w *whole, name string) float64 {
	sum := 0.0
	for _, value := range w.probe.Values(name) {
		sum += value
	}
	return sum
}

func TestASessionOfCometDIsCountedAndLoggedWithoutItsSecrets(t *testing.T) {
	w := startWhole(t, strings.Replace(guarded, "rate: 5", "rate: 500", 1))
	response, replies := bayeux(t, w.http, w.url+notifyingAt+"/handshake", hello, "X-API-Key", "key")
	require.Equal(t, "application/json", strings.Split(response.Header.Get("Content-Type"), ";")[0])
	id := replies[0]["clientId"].(string)
	set := strings.Join(response.Header.Values("Set-Cookie"), "\n")
	require.Contains(t, set, "JSESSIONID=")
	require.Contains(t, set, "BAYEUX_BROWSER=")
	held := make(chan struct{})
	go func() {
		defer close(held)
		bayeux(t, w.http, w.url+notifyingAt+"/connect", connectOf(id), "X-API-Key", "key")
	}()
	require.Eventually(t, func() bool { return values(w, "segue_gateway_cometd_waiting") == 1 }, time.Minute, time.Millisecond)
	conn, _, err := websocket.Dial(t.Context(), w.url+notifyingAt, &websocket.DialOptions{HTTPHeader: http.Header{"X-Api-Key": {"key"}}})
	require.NoError(t, err)
	defer conn.CloseNow()
	frame(t, conn, hello)
	require.Eventually(t, func() bool { return values(w, "segue_gateway_cometd_waiting") == 2 }, time.Minute, time.Millisecond)
	require.Equal(t, 2.0, values(w, "segue_gateway_cometd_sessions"))
	require.Equal(t, 2.0, values(w, "segue_gateway_streams"))
	bayeux(t, w.http, w.url+notifyingAt, `[{"channel":"/meta/disconnect","clientId":"`+id+`"}]`, "X-API-Key", "key")
	<-held
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool { return values(w, "segue_gateway_cometd_waiting") == 0 }, time.Minute, time.Millisecond)
	require.Equal(t, 1.0, values(w, "segue_gateway_cometd_sessions"), "a socket that breaks ends no session")
	require.Equal(t, 1.0, values(w, "segue_gateway_streams"))
	require.Eventually(t, func() bool { return strings.Contains(w.log.String(), `"status":101`) }, time.Minute, time.Millisecond)
	require.Contains(t, w.log.String(), `"route":"/api/v2/notifications/"`)
	require.Contains(t, w.log.String(), `"caller":"key:switch"`)
	for _, secret := range []string{id, "BAYEUX", "JSESSIONID", "clientId"} {
		require.NotContains(t, w.log.String(), secret)
	}
}

// A client must not wait for the end of its connect while the process stops, nor find a socket that nobody
// closes.
func TestWhenTheGatewayStopsConnectsAreAnsweredAndSocketsClosed(t *testing.T) {
	w := startWhole(t, strings.Replace(guarded, "rate: 5", "rate: 500", 1))
	_, replies := bayeux(t, w.http, w.url+notifyingAt, hello, "X-API-Key", "key")
	connect := connectOf(replies[0]["clientId"].(string))
	answered := make(chan []map[string]any, 1)
	go func() {
		_, replies := bayeux(t, w.http, w.url+notifyingAt, connect, "X-API-Key", "key")
		answered <- replies
	}()
	conn, _, err := websocket.Dial(t.Context(), w.url+notifyingAt, &websocket.DialOptions{HTTPHeader: http.Header{"X-Api-Key": {"key"}}})
	require.NoError(t, err)
	defer conn.CloseNow()
	frame(t, conn, hello)
	require.Eventually(t, func() bool { return values(w, "segue_gateway_cometd_waiting") == 2 }, time.Minute, time.Millisecond)
	begun := time.Now()
	w.stop()
	require.NotEmpty(t, <-answered)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, _, err = conn.Read(ctx)
	require.Error(t, err)
	require.NoError(t, ctx.Err())
	require.Less(t, time.Since(begun), 20*time.Second, "a connect is held for longer")
}

func TestAStrangersRequestsAreBoundedByTheirAddress(t *testing.T) {
	w := startWhole(t, guarded)
	statuses := map[int]int{}
	for range 5000 {
		if statuses[http.StatusTooManyRequests] > 0 {
			break
		}
		r, err := http.NewRequest(http.MethodPost, w.url+notifyingAt, strings.NewReader(hello))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		response, err := w.http.Do(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, response.Body)
		require.NoError(t, response.Body.Close())
		statuses[response.StatusCode]++
	}
	require.Positive(t, statuses[200])
	require.Positive(t, statuses[429], "%v", statuses)
	require.Len(t, statuses, 2)
}

func TestAStrangersFramesAreBoundedByTheirAddress(t *testing.T) {
	w := startWhole(t, guarded)
	conn, _, err := websocket.Dial(t.Context(), w.url+notifyingAt, nil)
	require.NoError(t, err)
	defer conn.CloseNow()
	require.Equal(t, "403::handshake_denied", frame(t, conn, hello)[0]["error"])
	var refused map[string]any
	for range 2000 {
		if refused = frame(t, conn, hello)[0]; refused["error"] != "403::handshake_denied" {
			break
		}
	}
	require.Equal(t, "429::rate-limited", refused["error"])
	require.Equal(t, map[string]any{"reconnect": "handshake", "interval": 1000.0}, refused["advice"])
}

// A page of another site can send a handshake with its own token by any browser. The person must not go on
// as its user.
func TestAPageOfAnotherSiteOpensNoSessionOfABrowser(t *testing.T) {
	w := startWhole(t, guarded)
	body := strings.Replace(hello, `"channel"`, `"ext":{"authentication":{"token":"key"}},"channel"`, 1)
	for origin, opens := range map[string]bool{"": true, w.url: true, "https://app.example.com": true, "https://evil.example": false, "null": false} {
		var headers []string
		if origin != "" {
			headers = []string{"Origin", origin}
		}
		response, replies := bayeux(t, w.http, w.url+notifyingAt, body, headers...)
		require.Equal(t, true, replies[0]["successful"], origin)
		require.Equal(t, opens, strings.Contains(strings.Join(response.Header.Values("Set-Cookie"), ""), "JSESSIONID"), origin)
	}
}

func TestAHostThatIsNoneIsRefused(t *testing.T) {
	w := startWhole(t, guarded)
	for _, path := range []string{"/api/v2/interactions", notifyingAt} {
		r, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(hello))
		require.NoError(t, err)
		r.Host = strings.Repeat("x", 300)
		response, err := w.http.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, string(text), `"statusCode":10`)
	}
}
