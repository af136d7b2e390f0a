package offers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/config"
	"segue/delivery"
	"segue/gateway/offers"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = `{"scripts": [{"channel": "inbound", "id": "s1", "name": "Sales"}], "note": "ignored",
	"dispositions": [{"channel": "chat", "id": "d1", "value": "SOLD", "labels": [{"language": "en", "name": "Sold"}]}]}`

// source returns a source that asks a receiver, whose call has the given further keys.
func source(t *testing.T, receive http.HandlerFunc, keys string, configure ...func(*offers.Options)) *offers.Source {
	t.Helper()
	receiver := httptest.NewServer(receive)
	t.Cleanup(receiver.Close)
	set, err := config.Parse("f.yaml", fmt.Appendf(nil, `calls:
  - {name: desk, method: GET, url: "%s/lists", query: [{name: center, value: "${interaction.contact_center}"}, {name: when, value: "${event.when}"}]%s}
desktop: {call: desk}
guard: {allow: ["127.0.0.0/8"]}
`, receiver.URL, keys))
	require.NoError(t, err)
	guard, err := set.Guard.Build()
	require.NoError(t, err)
	call, _ := set.Call(set.Desktop.Call)
	o := offers.Options{Sender: delivery.New(delivery.Options{Guard: guard}), Call: func() *config.Call { return call }}
	for _, change := range configure {
		change(&o)
	}
	s := offers.New(o)
	t.Cleanup(s.Close)
	return s
}

func TestAListIsAskedForOnce(t *testing.T) {
	var requests atomic.Int32
	s := source(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path != "/lists" || r.URL.Query().Get("when") != "desktop" {
			http.Error(w, "what?", http.StatusNotFound)
			return
		}
		fmt.Fprint(w, strings.Replace(good, "Sales", r.URL.Query().Get("center"), 1))
	}, "")
	for _, center := range []string{"berlin", "paris", "berlin"} {
		list, err := s.Get(t.Context(), center)
		require.NoError(t, err)
		require.Equal(t, config.Desktop{Scripts: []config.Script{{Channel: interaction.ChannelInbound, ID: "s1", Name: center}},
			Dispositions: []config.Disposition{{Channel: interaction.ChannelChat, ID: "d1", Value: "SOLD", Labels: []config.Label{{Language: "en", Name: "Sold"}}}}}, list)
	}
	require.EqualValues(t, 2, requests.Load())
}

func TestAListIsAskedForAgainWhenItIsOld(t *testing.T) {
	var requests atomic.Int32
	s := source(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, good)
	}, "", func(o *offers.Options) { o.Fresh, o.Failed = time.Nanosecond, time.Nanosecond })
	_, err := s.Get(t.Context(), "berlin")
	require.NoError(t, err)
	_, err = s.Get(t.Context(), "berlin")
	require.ErrorContains(t, err, "call desk: http_5xx")
	_, err = s.Get(t.Context(), "berlin")
	require.NoError(t, err)
}

// TestAReceiverThatIsWrong: each failure is an error that quotes nothing of the response.
func TestAReceiverThatIsWrong(t *testing.T) {
	for name, row := range map[string]struct{ body, keys, want string }{
		"no JSON":         {`<html>hunter2`, "", "no JSON object"},
		"a list":          {`["hunter2"]`, "", "no JSON object"},
		"a wrong type":    {`{"scripts": "hunter2"}`, "", "no JSON object"},
		"nothing":         {``, "", "no JSON object"},
		"null":            {`null`, "", "neither scripts nor dispositions"},
		"an error":        {`{"error": "hunter2"}`, "", "neither scripts nor dispositions"},
		"no channel":      {`{"scripts": [{"channel": "hunter2", "id": "s1"}]}`, "", "scripts[0], which has no channel"},
		"no id":           {`{"scripts": [{"channel": "chat"}]}`, "", "scripts[0], which has no id"},
		"no value":        {`{"dispositions": [{"channel": "chat", "id": "hunter2"}]}`, "", "dispositions[0], which has no value"},
		"a long text":     {`{"scripts": [{"channel": "chat", "id": "s", "name": "` + strings.Repeat("hunter2", 200) + `"}]}`, "", "more than 1024 bytes"},
		"very many":       {`{"scripts": [` + strings.Repeat(`{"channel":"chat","id":"s"},`, 1000) + `{"channel":"chat","id":"s"}]}`, "", "more than 1000"},
		"huge":            {`{"scripts": [], "x": "` + strings.Repeat("x", 1<<20) + `"}`, "", "longer than"},
		"huge, bounded":   {good, ", limits: {response: 100}", "longer than 100 bytes"},
		"not rendered":    {good, `, missing: park, headers: [{name: X-A, value: "${user_data.a}"}]`, "user_data.a"},
		"no secret":       {good, ", auth: {bearer: env:SEGUE_TEST_NONE}", "SEGUE_TEST_NONE"},
		"another address": {good, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := source(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, row.body) }, row.keys, func(o *offers.Options) {
				if name == "another address" {
					o.Sender = delivery.New(delivery.Options{})
					row.want = "guard"
				}
			})
			_, err := s.Get(t.Context(), "berlin")
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestAReceiverThatIsDown(t *testing.T) {
	receiver := httptest.NewServer(http.NotFoundHandler())
	receiver.Close()
	set, err := config.Parse("f.yaml", []byte("calls: [{name: desk, method: GET, url: \""+receiver.URL+"\"}]\nguard: {allow: [\"127.0.0.0/8\"]}"))
	require.NoError(t, err)
	guard, err := set.Guard.Build()
	require.NoError(t, err)
	call, _ := set.Call("desk")
	s := offers.New(offers.Options{Sender: delivery.New(delivery.Options{Guard: guard}), Call: func() *config.Call { return call }})
	_, err = s.Get(t.Context(), "berlin")
	require.ErrorContains(t, err, "call desk")
	s.Close()
	_, err = s.Get(t.Context(), "paris")
	require.ErrorContains(t, err, "stopping")

	none := offers.New(offers.Options{Call: func() *config.Call { return nil }})
	_, err = none.Get(t.Context(), "berlin")
	require.ErrorContains(t, err, "no call")
}

// TestASlowReceiver is asked once, however many wait, and who has given up has its response later.
func TestASlowReceiver(t *testing.T) {
	var requests atomic.Int32
	respond := make(chan struct{})
	s := source(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		<-respond
		fmt.Fprint(w, good)
	}, ", timeout: 60s")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 5 {
		_, err := s.Get(gone, "berlin")
		require.ErrorIs(t, err, context.Canceled)
	}
	close(respond)
	list, err := s.Get(t.Context(), "berlin")
	require.NoError(t, err)
	require.Len(t, list.Scripts, 1)
	require.EqualValues(t, 1, requests.Load())
}

func TestAReceiverThatHangsIsGivenUp(t *testing.T) {
	hang := make(chan struct{})
	s := source(t, func(http.ResponseWriter, *http.Request) { <-hang }, ", timeout: 100ms")
	t.Cleanup(func() { close(hang) })
	_, err := s.Get(t.Context(), "berlin")
	require.ErrorContains(t, err, "timeout")
}
