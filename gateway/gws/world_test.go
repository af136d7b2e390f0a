package gws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/commands"
	"segue/gateway/gws"
	"segue/gateway/gws/notify"
	"segue/gateway/index"
	"segue/interaction"
)

const cc = "berlin"

// world has interactions without Temporal: commands go to the state machine itself.
type world struct {
	t            testing.TB
	mu           sync.Mutex
	interactions map[client.Name]*interaction.Interaction
	revisions    map[client.Name]int64
	sent         []sent
	awaited      []client.Name
	told         []string
	// fails is the error of each query and command, and meanwhile runs after the next query.
	fails     error
	meanwhile func()
	face      http.Handler
	settings  gws.Settings
}

// sent is one command that was sent.
type sent struct {
	name    string
	payload map[string]any
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, interactions: map[client.Name]*interaction.Interaction{}, revisions: map[client.Name]int64{}}
	w.face = gws.NewIn(gws.Options{Version: "1.2.3", Settings: func() gws.Settings { return w.settings }},
		gws.World{Sender: w, Lists: w, Watchers: w, Involved: w.Involved})
	return w
}

// start starts an interaction, and gives it commands of the platform, each "NAME {payload}".
func (w *world) start(id, channel string, given ...string) {
	w.t.Helper()
	w.startWith(id, fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q}`, id, cc, channel), given...)
}

func (w *world) startWith(id, payload string, given ...string) {
	w.t.Helper()
	start, err := interaction.DecodeStart([]byte(payload))
	require.NoError(w.t, err)
	opened, _, err := interaction.Open(start, time.Now())
	require.NoError(w.t, err)
	n := client.Name{ContactCenter: cc, ID: id}
	w.interactions[n], w.revisions[n] = opened, 1
	for _, one := range given {
		name, body, _ := strings.Cut(one, " ")
		if body == "" {
			body = "{}"
		}
		_, err := w.apply(n, name, json.RawMessage(body))
		require.NoError(w.t, err, one)
	}
}

func (w *world) apply(n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var none commands.Answer
	found := w.interactions[n]
	if found == nil {
		return none, client.ErrNotFound
	}
	decoded, err := interaction.Decode(name, payload)
	if err != nil {
		return none, client.Malformed(err)
	}
	if _, err := found.Apply(decoded, time.Now()); err != nil {
		refusal, ok := contract.RefusalOf(err)
		require.True(w.t, ok, "%v", err)
		kind := contract.ErrorIllegalCommand
		if errors.As(err, new(*interaction.InvalidError)) {
			kind = contract.ErrorInvalidPayload
		}
		return none, &client.RefusedError{Type: kind, Message: err.Error(), Refusal: refusal}
	}
	w.revisions[n]++
	return commands.Answer{RunID: "run", Answer: contract.Answer{Revision: w.revisions[n], Child: childOf(name)}}, nil
}

func childOf(name string) string {
	if name == "reply" {
		return "child"
	}
	return ""
}

// Send gives a command to an interaction.
func (w *world) Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	if w.fails != nil {
		return commands.Answer{}, w.fails
	}
	w.note(name, payload)
	return w.apply(n, name, payload)
}

// SendAll gives an array of commands to an interaction.
func (w *world) SendAll(ctx context.Context, n client.Name, array []json.RawMessage) ([]commands.Result, error) {
	if w.fails != nil {
		return nil, w.fails
	}
	var results []commands.Result
	for _, payload := range array {
		var named struct{ Command string }
		require.NoError(w.t, json.Unmarshal(payload, &named))
		w.note(named.Command, payload)
		answer, err := w.apply(n, named.Command, payload)
		results = append(results, commands.Result{Answer: answer, Err: err})
	}
	return results, nil
}

func (w *world) note(name string, payload json.RawMessage) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	require.NoError(w.t, decoder.Decode(&fields))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, sent{name, fields})
}

// Query returns the state of an interaction.
func (w *world) Query(_ context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error) {
	defer func() {
		if do := w.meanwhile; do != nil {
			w.meanwhile = nil
			do()
		}
	}()
	if w.fails != nil {
		return contract.State{}, w.fails
	}
	if w.interactions[n] == nil {
		return contract.State{}, fmt.Errorf("%s: %w", n, client.ErrNotFound)
	}
	return *w.state(n, interaction.Actor{ID: actor.ID, Role: actor.Role}), nil
}

func (w *world) state(n client.Name, actor interaction.Actor) *contract.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.interactions[n]
	state := &contract.State{Status: found.StatusFor(actor), Revision: w.revisions[n], CapabilitiesFor: map[string][]string{}}
	for _, agent := range found.Present() {
		state.CapabilitiesFor[agent] = found.CapabilitiesFor(interaction.Actor{ID: agent, Role: interaction.RoleAgent})
	}
	return state
}

// Involved returns the agents who had a part.
func (w *world) Involved(_ context.Context, n client.Name) ([]string, error) {
	return w.interactions[n].Involved(), nil
}

// Catch does nothing: the lists are the interactions themselves.
func (w *world) Catch(context.Context) {}

// List returns the interactions of a contact center, by id.
func (w *world) List(contactCenter string, match func(*index.Entry) bool) []*index.Entry {
	var found []*index.Entry
	for n := range w.interactions {
		state := w.state(n, interaction.Actor{Role: interaction.RolePlatform})
		e := &index.Entry{State: state, CapabilitiesFor: state.CapabilitiesFor}
		if n.ContactCenter == contactCenter && (match == nil || match(e)) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *index.Entry) int { return strings.Compare(a.State.ID, b.State.ID) })
	return found
}

// OfAgent returns the interactions in which an agent has an open leg.
func (w *world) OfAgent(contactCenter, agent string) []*index.Entry {
	return w.List(contactCenter, func(e *index.Entry) bool { _, has := e.CapabilitiesFor[agent]; return has })
}

// OfWorkbin returns the interactions in a workbin.
func (w *world) OfWorkbin(contactCenter string, workbin any) []*index.Entry {
	want, err := json.Marshal(workbin)
	require.NoError(w.t, err)
	return w.List(contactCenter, func(e *index.Entry) bool {
		has, err := json.Marshal(e.State.Workbin)
		require.NoError(w.t, err)
		return string(has) == string(want)
	})
}

// Await notes what was waited for.
func (w *world) Await(_ context.Context, n client.Name, _ string, _ int64) {
	w.awaited = append(w.awaited, n)
}

// Answered does nothing: nobody looks for what is lost.
func (w *world) Answered(client.Name, string, int64) {}

// WatchWorkbin notes a subscription.
func (w *world) WatchWorkbin(a notify.Agent, id string, workbin any, reference json.RawMessage) {
	w.told = append(w.told, fmt.Sprintf("watch %s %s %v %s", a.ID, id, workbin, reference))
}

// UnwatchWorkbin notes the end of a subscription.
func (w *world) UnwatchWorkbin(a notify.Agent, id string, workbin any, reference json.RawMessage) {
	w.told = append(w.told, fmt.Sprintf("unwatch %s %s %v %s", a.ID, id, workbin, reference))
}

// WorkbinContent notes what is sent.
func (w *world) WorkbinContent(a notify.Agent, id string, entries []*index.Entry, more bool, reference json.RawMessage) {
	w.told = append(w.told, fmt.Sprintf("content %s %s %d %v %s", a.ID, id, len(entries), more, reference))
}

// caller returns who sends requests: an agent by name, or somebody of a role.
func caller(who string) *auth.Caller {
	c := &auth.Caller{Name: "key:test", User: who, Role: interaction.RoleAgent, Agent: who, ContactCenters: []string{cc}}
	switch role := interaction.Role(who); role {
	case interaction.RoleSupervisor, interaction.RoleAdmin, interaction.RolePlatform:
		c.Role, c.Agent = role, ""
	}
	return c
}

// answer is what the face has answered.
type answer struct {
	*httptest.ResponseRecorder
	t    testing.TB
	body map[string]any
}

// do sends a request "METHOD /path" with a body, empty for none, as an agent or a role.
func (w *world) do(who, request, body string, headers ...string) answer {
	w.t.Helper()
	return w.as(caller(who), request, body, headers...)
}

func (w *world) as(c *auth.Caller, request, body string, headers ...string) answer {
	w.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequestWithContext(context.Background(), method, "http://segue.example"+path, strings.NewReader(body))
	if c != nil {
		r = r.WithContext(auth.With(r.Context(), c))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorded := httptest.NewRecorder()
	w.face.ServeHTTP(recorded, r)
	return decoded(w.t, recorded)
}

// decoded returns an answer, which has the form of GWS.
func decoded(t testing.TB, recorded *httptest.ResponseRecorder) answer {
	t.Helper()
	a := answer{ResponseRecorder: recorded, t: t}
	require.Equal(t, "application/json", a.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(a.Body.Bytes(), &a.body), a.Body.String())
	require.Contains(t, a.body, "statusCode")
	if a.body["statusCode"] != 0.0 {
		require.Equal(t, "error", a.body["status"])
		require.NotEmpty(t, a.body["statusMessage"])
		require.Equal(t, a.body["statusMessage"], a.body["errorDescription"])
		require.Len(t, a.body, 4)
	}
	return a
}

// post does an operation on an interaction as an agent.
func (w *world) post(agent, id, body string) answer {
	w.t.Helper()
	return w.do(agent, "POST /api/v2/me/interactions/"+id, body)
}

// is checks HTTP status and statusCode.
func (a answer) is(status, code int) answer {
	a.t.Helper()
	require.Equal(a.t, fmt.Sprint(status, " ", code), fmt.Sprint(a.Code, " ", a.body["statusCode"]), a.Body.String())
	return a
}

// last returns the last command that was sent, without what the face adds to each.
func (w *world) last() string {
	w.t.Helper()
	require.NotEmpty(w.t, w.sent)
	return w.sent[len(w.sent)-1].String()
}

// String returns the command as "NAME {payload}".
func (s sent) String() string {
	own := map[string]any{}
	for key, value := range s.payload {
		if key != "event_id" && key != "by" && key != "command" {
			own[key] = value
		}
	}
	text, _ := json.Marshal(own)
	return s.name + " " + string(text)
}
