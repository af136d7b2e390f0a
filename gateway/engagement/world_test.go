package engagement_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/commands"
	"segue/gateway/engagement"
	"segue/gateway/engagement/ticket"
	"segue/interaction"
)

const cc = "berlin"

// one is an interaction of the world.
type one struct {
	inner    *interaction.Interaction
	revision int64
	run      string
	startID  string
	known    map[string]bool
	// until is the engaged_until of the state, and isTerminated that Temporal has closed the run, which does not know it.
	until        *time.Time
	isTerminated bool
}

// world has interactions without Temporal: commands go to the state machine itself.
type world struct {
	t            testing.TB
	mu           sync.Mutex
	interactions map[client.Name]*one
	now          time.Time
	runs         int
	// engaged is how often a visitor was invited, starts how often an interaction was started.
	engaged, starts int
	// fails is the error of each query and command, and meanwhile runs after the next query.
	fails     error
	meanwhile func()
	settings  engagement.Settings
	tickets   *ticket.Tickets
	face      *engagement.Face
	caller    *auth.Caller
	// known are the runs that Temporal still knows.
	known map[client.Name]string
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, interactions: map[client.Name]*one{}, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	w.tickets = ticket.New(func() [][]byte { return nil })
	w.face = engagement.New(engagement.Options{
		Sender: w, Index: w, Tickets: w.tickets, Settings: func() engagement.Settings { return w.settings }, Now: func() time.Time { return w.now },
		HasRun: func(_ context.Context, n client.Name, runID string) (bool, error) {
			return w.known[n] == runID && runID != "", w.fails
		},
	})
	w.caller = &auth.Caller{Name: "key:x", Role: interaction.RolePlatform, ContactCenters: []string{cc}}
	return w
}

func named(id string) client.Name { return client.Name{ContactCenter: cc, ID: id} }

func (w *world) stateOf(i *one) contract.State {
	return contract.State{Status: i.inner.Status(), RunID: i.run, Revision: i.revision, EngagedUntil: i.until}
}

func (w *world) Query(_ context.Context, n client.Name, _ *contract.StateRequest) (contract.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return contract.State{}, w.fails
	}
	meanwhile := w.meanwhile
	w.meanwhile = nil
	if meanwhile != nil {
		defer meanwhile()
	}
	i := w.interactions[n]
	if i == nil {
		return contract.State{}, client.ErrNotFound
	}
	// What Temporal answers went over a wire.
	encoded, err := json.Marshal(w.stateOf(i))
	require.NoError(w.t, err)
	var state contract.State
	require.NoError(w.t, json.Unmarshal(encoded, &state))
	return state, nil
}

func (w *world) Answered(client.Name, string, int64) {}

func (w *world) Send(_ context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return commands.Answer{}, w.fails
	}
	return w.apply(n, name, payload)
}

func (w *world) apply(n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	i := w.interactions[n]
	if i == nil {
		return commands.Answer{}, client.ErrNotFound
	}
	command, err := interaction.Decode(name, payload)
	if err != nil {
		return commands.Answer{}, client.Malformed(err)
	}
	if i.known[command.EventID] && command.EventID != "" {
		return w.answerOf(i, true), nil
	}
	if i.inner.Completed() || i.isTerminated {
		state := w.stateOf(i)
		return commands.Answer{}, &client.CompletedError{Name: n, Last: &state}
	}
	effect, err := i.inner.Apply(command, w.now)
	if err != nil {
		refusal, _ := contract.RefusalOf(err)
		return commands.Answer{}, &client.RefusedError{Type: contract.ErrorIllegalCommand, Message: err.Error(), Refusal: refusal}
	}
	if name == "engage" {
		w.engaged++
	}
	i.revision++
	i.known[command.EventID] = true
	answer := w.answerOf(i, false)
	answer.Attempt = effect.Attempt
	return answer, nil
}

func (w *world) answerOf(i *one, duplicate bool) commands.Answer {
	return commands.Answer{RunID: i.run, Answer: contract.Answer{State: i.inner.Status().State, Revision: i.revision, Duplicate: duplicate}}
}

func (w *world) Start(_ context.Context, n client.Name, start json.RawMessage, given []json.RawMessage) (commands.Started, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return commands.Started{}, w.fails
	}
	decoded, err := interaction.DecodeStart(start)
	if err != nil {
		return commands.Started{}, client.Malformed(err)
	}
	i := w.interactions[n]
	isRepeat := i != nil && i.startID == decoded.EventID
	switch {
	case isRepeat:
	case i != nil && (!decoded.Reopen || !i.inner.Completed() && !i.isTerminated):
		return commands.Started{}, &client.ExistsError{Name: n}
	default:
		w.open(n, decoded)
	}
	started := commands.Started{Duplicate: isRepeat}
	for _, element := range given {
		var fields struct{ Command string }
		require.NoError(w.t, json.Unmarshal(element, &fields))
		answer, err := w.apply(n, fields.Command, element)
		started.Results = append(started.Results, commands.Result{Answer: answer, Err: err})
	}
	return started, nil
}

func (w *world) open(n client.Name, start interaction.Start) {
	inner, _, err := interaction.Open(start, w.now)
	require.NoError(w.t, err)
	w.starts++
	w.runs++
	w.interactions[n] = &one{inner: inner, revision: 1, run: fmt.Sprint("run-", w.runs), startID: start.EventID, known: map[string]bool{}}
}

// play starts an interaction, and gives it commands of the platform, each "NAME {payload}".
func (w *world) play(id, channel string, given ...string) {
	w.t.Helper()
	start, err := interaction.DecodeStart(fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":%q}`, id, cc, channel))
	require.NoError(w.t, err)
	w.open(named(id), start)
	w.do(id, given...)
}

func (w *world) do(id string, given ...string) {
	w.t.Helper()
	for _, one := range given {
		name, payload, _ := strings.Cut(one, " ")
		if payload == "" {
			payload = "{}"
		}
		_, err := w.apply(named(id), name, json.RawMessage(payload))
		require.NoError(w.t, err, one)
	}
}

// result is an answer.
type result struct {
	code   int
	header http.Header
	body   string
	fields map[string]any
}

func (r result) String() string { return fmt.Sprint(r.code, " ", r.body) }

func (w *world) serve(handler http.Handler, r *http.Request) result {
	if w.caller != nil {
		r = r.WithContext(auth.With(r.Context(), w.caller))
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	answer := result{code: recorder.Code, header: recorder.Header(), body: recorder.Body.String()}
	require.Equal(w.t, "application/json", recorder.Header().Get("Content-Type"))
	require.NoError(w.t, json.Unmarshal(recorder.Body.Bytes(), &answer.fields))
	return answer
}

func (w *world) post(path, body string, headers ...string) result {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return w.serve(w.face.Strategies(), r)
}

func (w *world) engage(profile string, headers ...string) result {
	w.t.Helper()
	return w.post("/server/data/gateway/engage", `{"ixnProfile":`+profile+`}`, headers...)
}

func (w *world) noengage(data string, headers ...string) result {
	w.t.Helper()
	return w.post("/backend/data/gateway/noengage", `{"cancelData":`+data+`}`, headers...)
}
