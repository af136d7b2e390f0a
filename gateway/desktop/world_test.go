package desktop_test

import (
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
	"go.uber.org/goleak"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/commands"
	"segue/gateway/desktop"
	"segue/gateway/desktop/view"
	"segue/gateway/index"
	"segue/gateway/problem"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cc = "berlin"

// world has interactions without Temporal: commands go to the state machine itself, and each change is a
// notice in the order of the stream.
type world struct {
	t      testing.TB
	server *desktop.Server
	url    string
	stop   func()

	mu           sync.Mutex
	interactions map[client.Name]*interaction.Interaction
	revisions    map[client.Name]int64
	applied      map[string]bool // event ids
	stream       []*index.Change
	grown        chan struct{}
	sent         []string
	// fails is the error of each command, and large omits the states of notices.
	fails error
	large bool
	// resync has the next reader begin again, and skip what it has not read.
	resync bool
	// streams is the number of open sessions, and expire ends the credentials of all.
	streams int
	expire  []context.CancelFunc
}

var settings = desktop.Settings{Offer: desktop.Offer{
	Scripts: []desktop.Script{{Type: view.Telephony, ID: "s1", Name: "Sales"}, {Type: view.Chat, ID: "s2", Name: "Chats"}},
	Dispositions: []view.Disposition{{Type: view.Telephony, ID: "d1", Value: "SOLD", Extensions: []string{},
		Labels: []view.Label{{Language: "en", Country: "US", Name: "Sold", Description: "Order taken"}}}},
}}

func newWorld(t testing.TB, configure ...func(*desktop.Options)) *world {
	w := &world{t: t, interactions: map[client.Name]*interaction.Interaction{}, revisions: map[client.Name]int64{},
		applied: map[string]bool{}, grown: make(chan struct{})}
	o := desktop.Options{Sender: w, Index: w, Password: password, Watch: w.watch, Stream: w.count,
		Enter: func(ctx context.Context, _ *auth.Caller) (context.Context, *problem.Problem) { return ctx, nil }}
	for _, set := range configure {
		set(&o)
	}
	w.server = desktop.New(o, settings)
	served := httptest.NewServer(w.server)
	w.url = "ws" + strings.TrimPrefix(served.URL, "http") + desktop.Path
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.server.Run(ctx) })
	w.stop = sync.OnceFunc(func() {
		w.server.Close()
		end()
		running.Wait()
		served.Close()
	})
	t.Cleanup(w.stop)
	return w
}

// password knows agents, a supervisor sue and an admin ada by the password "right".
func password(_ *http.Request, name, given string) (*auth.Caller, error) {
	if given != "right" {
		return nil, problem.New(problem.Unauthenticated, "")
	}
	c := &auth.Caller{Name: "user:" + name, User: name, Role: interaction.RoleAgent, Agent: name, ContactCenters: []string{cc}}
	switch name {
	case "sue":
		c.Role, c.Agent = interaction.RoleSupervisor, ""
	case "ada":
		c.Role, c.Agent = interaction.RoleAdmin, ""
	}
	return c, nil
}

func (w *world) watch(ctx context.Context, _ *auth.Caller) (context.Context, func()) {
	watched, end := context.WithCancel(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire = append(w.expire, end)
	return watched, end
}

func (w *world) count(*auth.Caller) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.streams++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.streams--
	}, nil
}

// start starts an interaction, and gives it commands of the platform, each "NAME {payload}".
func (w *world) start(id, channel string, given ...string) {
	w.t.Helper()
	_, err := w.Start(context.Background(), client.Name{ContactCenter: cc, ID: id},
		json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q,"ani":"+49"}`, id, cc, channel)), nil)
	require.NoError(w.t, err)
	w.do(id, given...)
}

func (w *world) do(id string, given ...string) {
	w.t.Helper()
	for _, one := range given {
		name, payload, _ := strings.Cut(one, " ")
		if payload == "" {
			payload = "{}"
		}
		_, err := w.apply(client.Name{ContactCenter: cc, ID: id}, name, json.RawMessage(payload))
		require.NoError(w.t, err, one)
	}
}

// Start starts an interaction with its first commands.
func (w *world) Start(_ context.Context, n client.Name, start json.RawMessage, elements []json.RawMessage) (commands.Started, error) {
	w.mu.Lock()
	if w.fails != nil {
		defer w.mu.Unlock()
		return commands.Started{}, w.fails
	}
	decoded, err := interaction.DecodeStart(start)
	if err != nil {
		w.mu.Unlock()
		return commands.Started{}, client.Malformed(err)
	}
	if w.interactions[n] != nil {
		w.mu.Unlock()
		return commands.Started{Duplicate: true}, nil
	}
	opened, effect, err := interaction.Open(decoded, time.Now())
	require.NoError(w.t, err)
	w.interactions[n] = opened
	w.publish(n, interaction.Command{Name: "start"}, effect, nil)
	w.mu.Unlock()
	var done commands.Started
	for _, element := range elements {
		var named struct{ Command string }
		require.NoError(w.t, json.Unmarshal(element, &named))
		answer, err := w.Send(context.Background(), n, named.Command, element)
		done.Results = append(done.Results, commands.Result{Answer: answer, Err: err})
	}
	return done, nil
}

// Send gives a command to an interaction.
func (w *world) Send(_ context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	w.mu.Lock()
	w.sent = append(w.sent, name+" "+string(payload))
	fails := w.fails
	w.mu.Unlock()
	if fails != nil {
		return commands.Answer{}, fails
	}
	return w.apply(n, name, payload)
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
	if key := decoded.EventID; key != "" {
		if w.applied[n.ID+key] {
			return commands.Answer{Answer: contract.Answer{Duplicate: true}}, nil
		}
		w.applied[n.ID+key] = true
	}
	before := found.Present()
	effect, err := found.Apply(decoded, time.Now())
	if err != nil {
		refusal, ok := contract.RefusalOf(err)
		require.True(w.t, ok, "%v", err)
		kind := contract.ErrorIllegalCommand
		if errors.As(err, new(*interaction.InvalidError)) {
			kind = contract.ErrorInvalidPayload
		}
		return none, &client.RefusedError{Type: kind, Message: err.Error(), Refusal: refusal}
	}
	w.publish(n, decoded, effect, before)
	return commands.Answer{RunID: "run", Answer: contract.Answer{Revision: w.revisions[n]}}, nil
}

// publish adds a notice to the stream.
func (w *world) publish(n client.Name, cmd interaction.Command, effect interaction.Effect, before []string) {
	w.revisions[n]++
	state := w.state(n)
	notice := &contract.Notice{ContactCenter: n.ContactCenter, Interaction: n.ID, FirstRunID: "run", RunID: "run",
		Revision: state.Revision, Sequence: state.Sequence, Command: cmd.Name, By: cmd.By, Events: effect.Turn.Events,
		AgentsBefore: before, CapabilitiesFor: state.CapabilitiesFor, State: state}
	if w.large {
		notice.State = nil
	}
	w.stream = append(w.stream, &index.Change{At: bus.Position{Epoch: "e", Sequence: uint64(len(w.stream) + 1)}, Notice: notice})
	close(w.grown)
	w.grown = make(chan struct{})
}

func (w *world) state(n client.Name) *contract.State {
	found := w.interactions[n]
	state := &contract.State{Status: found.Status(), RunID: "run", Revision: w.revisions[n], CapabilitiesFor: map[string][]string{}}
	for _, agent := range found.Present() {
		state.CapabilitiesFor[agent] = found.CapabilitiesFor(interaction.Actor{ID: agent, Role: interaction.RoleAgent})
	}
	return state
}

// Query, Get and OfAgent return states as they are.
func (w *world) Query(_ context.Context, n client.Name, _ *contract.StateRequest) (contract.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.interactions[n] == nil {
		return contract.State{}, client.ErrNotFound
	}
	return *w.state(n), nil
}

// Get returns an open interaction.
func (w *world) Get(n client.Name) (*index.Entry, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.get(n)
}

func (w *world) get(n client.Name) (*index.Entry, bool) {
	if w.interactions[n] == nil {
		return nil, false
	}
	state := w.state(n)
	return &index.Entry{State: state, CapabilitiesFor: state.CapabilitiesFor}, state.State != interaction.StateCompleted
}

// OfAgent returns the open interactions in which an agent has an open leg.
func (w *world) OfAgent(contactCenter, agent string) []*index.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []*index.Entry
	for n := range w.interactions {
		if e, isOpen := w.get(n); isOpen && n.ContactCenter == contactCenter && slices.Contains(w.interactions[n].Present(), agent) {
			found = append(found, e)
		}
	}
	return found
}

// Catch and Await do nothing: the lists are the interactions themselves.
func (w *world) Catch(context.Context) {}

// Await returns at once.
func (w *world) Await(context.Context, client.Name, string, int64) {}

// Complete reports true.
func (w *world) Complete() bool { return true }

// End returns the end of the stream.
func (w *world) End() bus.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bus.Position{Epoch: "e", Sequence: uint64(len(w.stream))}
}

// Changes reads the stream from its end on.
func (w *world) Changes(context.Context) (desktop.Changes, error) {
	return &changes{w, int(w.End().Sequence)}, nil
}

type changes struct {
	w    *world
	next int
}

// Next waits for the next change.
func (c *changes) Next(ctx context.Context, _ func(*index.Change) bool) (*index.Change, error) {
	for {
		c.w.mu.Lock()
		grown := c.w.grown
		if c.w.resync {
			c.w.resync = false
			c.w.mu.Unlock()
			return nil, index.ErrResync
		}
		if c.next < len(c.w.stream) {
			change := c.w.stream[c.next]
			c.next++
			c.w.mu.Unlock()
			return change, nil
		}
		c.w.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
