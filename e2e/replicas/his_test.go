package replicas_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// hisPatience is how long a client of HIS waits for a frame.
const hisPatience = time.Minute

// hisSeat is a client of HIS. It knows the state of each object that it has got, and the user data.
type hisSeat struct {
	*world
	conn    *websocket.Conn
	session string
	known   map[string]string
	data    any
	// last is the revision of the last event of an interaction.
	last float64
}

type hisFrame struct {
	MessageType, Name, Target, Result string
	RequestID                         string `json:"requestId"`
	Data                              map[string]any
	Failure                           struct{ Code string }
	Revision                          float64
}

// hisAt opens a session at a gateway, and reads its replay.
func (w *world) hisAt(g *gateway, agent string) *hisSeat {
	w.Helper()
	conn, answer, err := websocket.Dial(w.Context(), "ws"+strings.TrimPrefix(g.URL, "http")+"/his", nil)
	require.NoError(w, err)
	if answer.Body != nil {
		require.NoError(w, answer.Body.Close())
	}
	w.Cleanup(func() { _ = conn.CloseNow() })
	s := &hisSeat{world: w, conn: conn, known: map[string]string{}}
	var got hisFrame
	for begun := time.Now(); got.Result == "" || got.Result == "confirm"; { // another replica may not know yet that its session is over
		require.Less(w, time.Since(begun), hisPatience, "the agent has a session")
		s.write("prepareSession", "", "prepare", fmt.Sprintf(`{"agent":{"id":%q,"password":"any"}}`, w.name+"/"+agent))
		got = s.answer("prepare")
	}
	require.Equal(w, "success", got.Result, "%+v", got)
	s.session, _ = got.Data["sessionId"].(string)
	s.until(func(f hisFrame) bool { return f.Name == "session.initialized" })
	return s
}

// confirms requires that a replica knows of the session that the agent has in another one.
func (w *world) confirms(g *gateway, agent string) {
	w.Helper()
	conn, answer, err := websocket.Dial(w.Context(), "ws"+strings.TrimPrefix(g.URL, "http")+"/his", nil)
	require.NoError(w, err)
	if answer.Body != nil {
		require.NoError(w, answer.Body.Close())
	}
	defer func() { _ = conn.CloseNow() }()
	s := &hisSeat{world: w, conn: conn, known: map[string]string{}}
	s.write("prepareSession", "", "prepare", fmt.Sprintf(`{"agent":{"id":%q,"password":"any"}}`, w.name+"/"+agent))
	require.Equal(w, "confirm", s.answer("prepare").Result)
}

func (s *hisSeat) write(command, target, id, data string) {
	s.Helper()
	target = strings.TrimSuffix(s.session+"."+target, ".")
	frame := fmt.Sprintf(`{"command":%q,"target":%q,"requestId":%q,"data":%s}`, command, target, id, data)
	require.NoError(s, s.conn.Write(s.Context(), websocket.MessageText, []byte(frame)))
}

func (s *hisSeat) read() hisFrame {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), hisPatience)
	defer cancel()
	_, text, err := s.conn.Read(ctx)
	require.NoError(s, err)
	var f hisFrame
	require.NoError(s, json.Unmarshal(text, &f), "%s", text)
	if f.MessageType == "objectEvent" {
		s.learn(f)
	}
	return f
}

func (s *hisSeat) learn(f hisFrame) {
	target := strings.TrimPrefix(f.Target, s.session)
	s.last = max(s.last, f.Revision)
	switch f.Name {
	case "state.updated":
		if s.known[target] = fmt.Sprint(f.Data["state"]); s.known[target] == "ENDED" {
			delete(s.known, target)
		}
	case "interaction.datachanged":
		s.data = f.Data
	}
}

func (s *hisSeat) until(is func(hisFrame) bool) {
	s.Helper()
	for !is(s.read()) {
	}
}

// answer returns the answer to a request, after the events before it.
func (s *hisSeat) answer(id string) hisFrame {
	s.Helper()
	for {
		if f := s.read(); f.RequestID == id {
			return f
		}
	}
}

// insists sends a request until it succeeds, always with the same id, and reports whether it failed before.
func (s *hisSeat) insists(command, target, id, data string) (hasFailed bool) {
	s.Helper()
	for begun := time.Now(); time.Since(begun) < 3*hisPatience; hasFailed = true {
		s.write(command, target, id, data)
		got := s.answer(id)
		if got.Result == "success" {
			return hasFailed
		}
		require.Equal(s, "UNAVAILABLE", got.Failure.Code)
	}
	require.Fail(s, "no success")
	return false
}

// TestACallOnHISSurvivesKills: a worker and a gateway are killed in the middle of a call. Each signal counts
// once, and the replay of a new session is what a client of the same agent knows that has followed the changes.
func TestACallOnHISSurvivesKills(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	worker := w.startWorker()
	first, second := w.startGateway(), w.startGateway()
	disturbed := w.hisAt(first, "ann")
	const id = "his-kill"
	w.start(second, id)
	signals := w.signalsOf(second, id)
	w.command(second, "", id, "offer", `{"agent":"ann"}`)
	offered := func(f hisFrame) bool { return f.Name == "interaction.initialized" }
	disturbed.until(offered)
	w.confirms(second, "ann")
	call := "c-1." + id
	require.False(t, disturbed.insists("conversation.answer", call+".p", "answer", `{}`))

	worker.kill()
	require.Equal(t, "UNAVAILABLE", func() string {
		disturbed.write("interaction.request.incontact.signal", call, "a", `{"p1":"sig-a"}`)
		return disturbed.answer("a").Failure.Code
	}(), "nobody judges it")
	w.startWorker()
	disturbed.insists("interaction.request.incontact.signal", call, "a", `{"p1":"sig-a"}`)
	disturbed.insists("interaction.request.incontact.signal", call, "b", `{"p1":"sig-b"}`)
	disturbed.insists("conversation.hold", call+".p", "hold", `{}`)
	disturbed.write("interaction.request.incontact.signal", call, "c", `{"p1":"sig-c"}`)
	first.kill() // whether the last signal was given is open
	w.drop(first)
	calm := w.hisAt(second, "ann")
	w.command(second, "", id, "set_attributes", `{"native_id":"n-1"}`)
	end := w.command(second, "", id, "update_user_data", `{"user_data":{"tier":"gold"}}`)

	for int64(calm.last) < end.Revision {
		calm.read()
	}
	require.NoError(t, calm.conn.CloseNow())
	again := w.hisAt(w.startGateway(), "ann")
	require.Equal(t, calm.known, again.known)
	require.Equal(t, "HELD", again.known[".c-1."+id+".p"])
	require.Equal(t, calm.data, again.data)
	again.insists("conversation.retrieve", call+".p", "retrieve", `{}`)
	again.insists("interaction.request.incontact.signal", call, "d", `{"p1":"sig-d"}`)

	require.Equal(t, []string{"sig-a", "sig-b", "sig-d"}, slices.DeleteFunc(signals(), func(one string) bool { return one == "sig-c" }), "each once, in order")
}

// signalsOf follows the script signals of an interaction over SSE. The function returns those up to sig-d.
func (w *world) signalsOf(g *gateway, id string) func() []string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 5*hisPatience)
	w.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/v1/events?when=script_signal&interaction="+id, nil)
	require.NoError(w, err)
	r.Header.Set("Segue-Contact-Center", w.name)
	response, err := w.transport.RoundTrip(r)
	require.NoError(w, err)
	w.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(w, http.StatusOK, response.StatusCode)
	return func() []string {
		var found []string
		for lines := bufio.NewScanner(response.Body); !slices.Contains(found, "sig-d") && lines.Scan(); {
			found = append(found, regexp.MustCompile(`sig-[a-d]`).FindAllString(lines.Text(), -1)...)
		}
		return found
	}
}
