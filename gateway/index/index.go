package index

import (
	"context"
	"errors"
	"log/slog"

	"segue/bus"
	"segue/client"
	"segue/contract"
)

// Options configure an index.
type Options struct {
	Client *client.Client
	Bus    *bus.Conn
	Log    *slog.Logger
}

// Index is the gateway's view of all open interactions, kept current by the bus and repaired by
// queries. It is safe for concurrent use.
type Index struct{}

// New returns an index, which is empty until Run.
func New(_ Options) *Index { return &Index{} }

// Run keeps the index current until the context ends.
func (x *Index) Run(_ context.Context) error { return errors.New("not built yet") }

// Health is the state of an index.
type Health struct {
	// Complete reports that the index had all open interactions once. Reasons say why the replica is
	// not ready, or what is degraded.
	Complete bool
	Reasons  []string
	Open     int
}

// Health returns the state of the index.
func (x *Index) Health() Health { return Health{} }

// Entry is one interaction in the index. It is read only.
type Entry struct {
	State           *contract.State
	CapabilitiesFor map[string][]string
	// At is the position of the notice that brought the state; zero if a query did.
	At bus.Position
}

// Get returns an open interaction as the index has it now.
func (x *Index) Get(_ client.Name) (*Entry, bool) { return nil, false }

// Await returns when the index has this revision of a run, or a later one. After 250 ms it queries
// the state and publishes it, and after 1 s it returns in any case. Commands of agents are answered
// after it, so that the agent's lists show them.
func (x *Index) Await(_ context.Context, _ client.Name, _ string, _ int64) {}

// Catch waits until the index has what the stream has now, at most 500 ms. Lists are read after it.
func (x *Index) Catch(_ context.Context) {}

// List returns the open interactions of a contact center that match, oldest start first. Call Catch
// before it.
func (x *Index) List(_ string, _ func(*Entry) bool) []*Entry { return nil }

// OfAgent returns the open interactions in which an agent has an open leg, offers too, oldest start
// first. Call Catch before it.
func (x *Index) OfAgent(_, _ string) []*Entry { return nil }

// Query asks the interaction itself for its state, with the capabilities of an actor. Callers that
// ask for the same while a query is in flight share the next one.
func (x *Index) Query(_ context.Context, _ client.Name, _ *contract.StateRequest) (contract.State, error) {
	return contract.State{}, errors.New("not built yet")
}
