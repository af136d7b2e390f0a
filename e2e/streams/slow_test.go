package streams_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/index"
	"segue/gateway/platform"
	"segue/interaction"
)

// small is a gateway that keeps little, and a bus that keeps little more. The test publishes the notices.
func small(t *testing.T, isSecure bool) (gateway *httptest.Server, publish func(*contract.Notice)) {
	t.Helper()
	server, err := bus.Embed(bus.ServerOptions{MaxBytes: 8 << 20})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(bus.Options{Server: server, Creates: true, MaxBytes: 8 << 20})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	x := index.New(index.Options{Client: segue.Client, Bus: conn, StreamBytes: 1 << 20})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	require.Eventually(t, func() bool { return x.Health().Complete }, patience, time.Millisecond)
	api := platform.New(platform.Options{Client: segue.Client, Index: x})
	caller := &auth.Caller{Name: "admin", Role: interaction.RoleAdmin, All: true}
	gateway = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(auth.With(r.Context(), caller)))
	}))
	if isSecure {
		gateway.EnableHTTP2 = true
		gateway.StartTLS()
	} else {
		gateway.Start()
	}
	t.Cleanup(gateway.Close)
	t.Cleanup(gateway.CloseClientConnections)
	return gateway, func(n *contract.Notice) { require.NoError(t, conn.PublishNow(t.Context(), n)) }
}

// big returns a notice with a large state.
func big(center, id string, revision int64) *contract.Notice {
	state := &contract.State{RunID: "run-" + id, Revision: revision}
	state.ID, state.ContactCenter, state.State = id, center, interaction.StateQueued
	state.UserData = map[string]any{"note": strings.Repeat("x", 100<<10)}
	return &contract.Notice{
		ContactCenter: center, Interaction: id, FirstRunID: state.RunID, RunID: state.RunID, Revision: revision, Sequence: revision,
		Command: "set_attributes", State: state,
	}
}

func TestASlowClientIsResyncedAndSlowsNoOther(t *testing.T) {
	c := newCenter(t)
	gateway, publish := small(t, false)
	open := func(query string) *bufio.Reader {
		conn, err := net.Dial("tcp", strings.TrimPrefix(gateway.URL, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "GET /v1/events?contact_center=%s&include=state%s HTTP/1.1\r\nHost: x\r\n\r\n", c.name, query)
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReaderSize(conn, 512<<10), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		return bufio.NewReaderSize(response.Body, 512<<10)
	}
	slow, fast := open(""), open("")
	const count = 300 // of 100 KiB: more than the sockets, the gateway and the bus hold
	first := ""
	for i := range int64(count) {
		publish(big(c.name, "one", i+1))
		e := nextOf(t, fast)
		require.EqualValues(t, i+1, e.body(t)["revision"], "the fast client has it at once")
		if i == 0 {
			first = e.id
		}
	}
	last, resyncs := 0.0, 0
	for last < count {
		e := nextOf(t, slow)
		switch e.name {
		case "resync":
			require.Equal(t, map[string]any{"reason": "overrun"}, e.body(t))
			state := nextOf(t, slow)
			require.Equal(t, "state", state.name)
			last = state.body(t)["revision"].(float64)
			resyncs++
		case "change":
			require.Equal(t, last+1, e.body(t)["revision"])
			last++
		}
	}
	require.Equal(t, 1, resyncs)
	publish(big(c.name, "one", count+1))
	require.EqualValues(t, count+1, nextOf(t, slow).body(t)["revision"])

	expired := open("&last_event_id=" + first)
	require.Equal(t, map[string]any{"reason": "expired"}, nextOf(t, expired).body(t))
	require.EqualValues(t, count+1, nextOf(t, expired).body(t)["revision"])
}

// nextOf reads the next event.
func nextOf(t *testing.T, r *bufio.Reader) (e event) {
	t.Helper()
	for {
		text, err := r.ReadString('\n')
		require.NoError(t, err)
		field, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), ": ")
		switch {
		case field == "" && e.name != "":
			require.True(t, json.Valid([]byte(e.data)))
			return e
		case field == "":
			e = event{}
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			e.data = value
		}
	}
}

func TestStreamsAndFeedsWorkOverHTTP2(t *testing.T) {
	c := newCenter(t)
	gateway, publish := small(t, true)
	client := gateway.Client()
	response, err := client.Get(gateway.URL + "/v1/events?contact_center=" + c.name)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 2, response.ProtoMajor)
	events := bufio.NewReader(response.Body)
	publish(big(c.name, "one", 1))
	require.EqualValues(t, 1, nextOf(t, events).body(t)["revision"])

	reader, writer := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, gateway.URL+"/v1/feed?contact_center="+c.name, reader)
	require.NoError(t, err)
	go func() {
		_, _ = io.WriteString(writer, `{"interaction":"h2","command":"start","channel":"inbound"}`+"\n")
	}()
	fed, err := client.Do(r)
	require.NoError(t, err)
	defer fed.Body.Close()
	require.Equal(t, 2, fed.ProtoMajor)
	answers := bufio.NewReader(fed.Body)
	first, err := answers.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, first, `"accepted"`)
	require.NoError(t, writer.Close())
	_, last := linesOf(t, answers)
	require.Equal(t, &summary{Lines: 1, Interactions: 1, Accepted: 1}, last.Summary)
}
