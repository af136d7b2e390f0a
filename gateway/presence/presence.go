package presence

import (
	"slices"
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
	// any. Since is when it began. Update sets both, and Since of the channels.
	State string    `json:"state"`
	Since time.Time `json:"since"`
	// Changed is when the presence was written last, whether or not the state changed.
	Changed time.Time `json:"changed"`
	// Concerns are the names of the channels that the last change was about, also if they keep their state.
	Concerns []string `json:"concerns,omitempty"`
	// Reference is the referenceId of the request that made the last change, as JSON, for the one who
	// made it.
	Reference string `json:"reference,omitempty"`
}

// IsLoggedIn reports whether the agent is logged in for any channel.
func (a *Agent) IsLoggedIn() bool { return len(a.Channels) > 0 }

// Channel returns the channel of a name; nil if the agent is not logged in for it.
func (a *Agent) Channel(name string) *Channel {
	for i := range a.Channels {
		if a.Channels[i].Name == name {
			return &a.Channels[i]
		}
	}
	return nil
}

// clone returns a copy that shares nothing.
func (a *Agent) clone() Agent {
	c := *a
	c.Channels, c.Concerns = slices.Clone(a.Channels), slices.Clone(a.Concerns)
	return c
}

// settle derives what follows from the channels, compared with the presence before.
func (a *Agent) settle(before *Agent, now time.Time) {
	for i := range a.Channels {
		c := &a.Channels[i]
		if had := before.Channel(c.Name); had != nil && had.State == c.State {
			c.Since = had.Since
		} else {
			c.Since = now
		}
	}
	a.State, a.Since, a.Changed = stateOf(a.Channels), before.Since, now
	if a.State != before.State || before.Since.IsZero() {
		a.Since = now
	}
}

// stateOf returns the state of channels together: Ready only if all are, LoggedOut without any. A state
// that a desktop made up, such as a break, comes before NotReady; of several, the newest.
func stateOf(channels []Channel) string {
	if len(channels) == 0 {
		return LoggedOut
	}
	busiest := channels[0]
	for _, c := range channels[1:] {
		if rank(c.State) > rank(busiest.State) || rank(c.State) == rank(busiest.State) && c.Since.After(busiest.Since) {
			busiest = c
		}
	}
	return busiest.State
}

func rank(state string) int {
	switch state {
	case Ready:
		return 0
	case NotReady:
		return 1
	}
	return 2
}
