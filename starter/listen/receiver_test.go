package listen_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/starter/listen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a receiver, and returns what it has shown.
func start(t *testing.T, answer listen.Answer) (*listen.Receiver, chan listen.Request) {
	t.Helper()
	shown := make(chan listen.Request, 100)
	r, err := listen.Start(0, answer, func(request listen.Request) { shown <- request })
	require.NoError(t, err)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, r.Stop())
	})
	return r, shown
}

func send(t *testing.T, method, url, id, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	if id != "" {
		request.Header.Set("webhook-id", id)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func TestARequestIsShownAndAnswered(t *testing.T) {
	r, shown := start(t, listen.Answer{Status: 503, Body: `{"later":true}`})
	for times := 1; times <= 2; times++ {
		status, body := send(t, "POST", r.URL+"/calls/ixn-1?seq=3", "msg_1", `{"survey":{}, "when":"segment_change"}`)
		require.Equal(t, 503, status)
		require.Equal(t, `{"later":true}`, body)
		got := <-shown
		require.WithinDuration(t, time.Now(), got.At, time.Minute)
		got.At = time.Time{}
		require.Equal(t, listen.Request{Method: "POST", URL: "/calls/ixn-1?seq=3", Moment: "segment_change", ID: "msg_1", Times: times, Status: 503,
			Body: `{"survey":{}, "when":"segment_change"}`}, got)
	}
	status, _ := send(t, "PUT", r.URL+"/", "", strings.Repeat("x", listen.BodyLimit+1))
	require.Equal(t, 413, status)
	got := <-shown
	require.Equal(t, []any{413, "", 0, listen.BodyLimit}, []any{got.Status, got.ID, got.Times, len(got.Body)})
}

func TestTheMomentIsTheFirstNameOfOne(t *testing.T) {
	r, shown := start(t, listen.Answer{Status: 200})
	for body, moment := range map[string]string{
		"":                                      "",
		`{"id":"a","text":"hello"}`:             "",
		`{"survey":{"q1":5},"engage":1}`:        "",
		"survey=5&moment=inbound.agent_connect": "inbound.agent_connect",
		"ixn-1 chat.end Ada":                    "chat.end",
		`{"title":"operator.delivery_parked: crm"}`: "operator.delivery_parked",
		"<When>interaction_ends</When>":             "interaction_ends",
		`{"when":"fault","of":"segment_change"}`:    "fault",
	} {
		send(t, "POST", r.URL+"/x", "", body)
		require.Equal(t, moment, (<-shown).Moment, body)
	}
	send(t, "POST", r.URL+"/backend/data/gateway/engage", "", "{}")
	require.Equal(t, "engage", (<-shown).Moment)
}

func TestADelayedAnswerEndsWithItsSenderAndItsReceiver(t *testing.T) {
	r, shown := start(t, listen.Answer{Status: 200, Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", r.URL, nil)
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		failed <- err
	}()
	<-shown
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)

	require.NoError(t, r.Wait(ctx))
	go func() { _, err := http.Get(r.URL); failed <- err }() //nolint:bodyclose // there is no response
	<-shown
	require.NoError(t, r.Stop(), "it does not wait for an hour")
	require.Error(t, <-failed)
}

func TestAPortInUseIsAnError(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = listen.Start(taken.Addr().(*net.TCPAddr).Port, listen.Answer{}, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestARequestIsWrittenInTwoLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	for name, test := range map[string]struct {
		request listen.Request
		colored bool
		text    string
	}{
		"no body": {listen.Request{At: at, Method: "GET", URL: "/a", Status: 200}, false, "03:04:05  GET /a  200\n"},
		"repeated": {
			listen.Request{At: at, Method: "POST", URL: "/a", Status: 503, Moment: "survey", ID: "msg_1", Times: 2, Body: "{\n  \"a\": 1\n}"}, false,
			"03:04:05  POST /a  503  survey  msg_1  attempt 2\n          {\"a\":1}\n",
		},
		"colored": {
			listen.Request{At: at, Method: "POST", URL: "/a", Status: 503}, true,
			"\x1b[2m03:04:05\x1b[0m  \x1b[1mPOST /a\x1b[0m  \x1b[31m503\x1b[0m\n",
		},
		"hostile": {
			listen.Request{At: at, Method: "POST", URL: "/a", Status: 200, ID: "\x1b[2J", Body: "a\x1b[2J\r\n\u202eb"}, false,
			"03:04:05  POST /a  200  �[2J\n          a�[2J �b\n",
		},
		"long": {listen.Request{At: at, Method: "POST", URL: "/", Status: 200, Body: strings.Repeat("x", 3000)}, false,
			"03:04:05  POST /  200\n          " + strings.Repeat("x", 2000) + "…\n"},
	} {
		var out bytes.Buffer
		require.NoError(t, test.request.Write(&out, test.colored), name)
		require.Equal(t, test.text, out.String(), name)
	}
}
