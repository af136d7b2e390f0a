package presence

import (
	"context"
	"time"
)

// The states that Segue itself sets. Platforms and desktops may set others.
const (
	LoggedOut = "LoggedOut"
	NotReady  = "NotReady"
	Ready     = "Ready"
)

// Channel is one channel of a logged-in agent: voice, chat, email, ….
type Channel struct {
	Name  string    `json:"name"`
	State string    `json:"state"`
	Since time.Time `json:"since"`
}

// Agent is an agent's presence.
type Agent struct {
	ContactCenter string    `json:"contact_center"`
	ID            string    `json:"id"`
	Channels      []Channel `json:"channels"`
	Place         string    `json:"place,omitempty"`
	LoginCode     string    `json:"login_code,omitempty"`
	Queue         string    `json:"queue,omitempty"`
	// State is that of all channels if they have the same, else that of the busiest; LoggedOut without
	// any. Since is when it began.
	State string    `json:"state"`
	Since time.Time `json:"since"`
	// Concerns are the names of the channels that the last change was about, also if they keep their state.
	Concerns []string `json:"concerns,omitempty"`
	// Reference is the referenceId of the request that made the last change, as JSON, for the one who
	// made it.
	Reference string `json:"reference,omitempty"`
}

// Presence is the presence of all agents. It is safe for concurrent use.
type Presence struct{}

// Get returns an agent's presence; LoggedOut for one who is not known.
func (p *Presence) Get(contactCenter, agent string) Agent {
	return Agent{ContactCenter: contactCenter, ID: agent, State: LoggedOut}
}

// List returns the agents of a contact center who are logged in.
func (p *Presence) List(contactCenter string) []Agent { return nil }

// Update changes an agent's presence on all replicas, and returns it. change gets the present one, and
// may be called again if another replica changes it at the same time.
func (p *Presence) Update(ctx context.Context, contactCenter, agent string, change func(*Agent)) (Agent, error) {
	return Agent{}, nil
}

// Run keeps the presence current until the context ends.
func (p *Presence) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Watch calls told with each change from now on, before and after it, until stop is called. It must not
// wait.
func (p *Presence) Watch(told func(before, after Agent)) (stop func()) { return func() {} }
