package platform

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"segue/gateway/presence"
	"segue/interaction"
)

// whenAgentState is the name of the event of an agent's presence.
const whenAgentState = "agent.state"

// maxAgentEvents bounds the events of agents' presence that wait for a client.
const maxAgentEvents = 1024

var errTooSlow = errors.New("the client is too slow for the events of agents' presence")

// liveAgent is a change of an agent's presence.
type liveAgent struct {
	ContactCenter string             `json:"contact_center" doc:"The contact center of the agent." example:"default"`
	When          string             `json:"when" enum:"agent.state"`
	At            time.Time          `json:"at" doc:"When it happened."`
	Agent         *interaction.Agent `json:"agent"`
	Fields        liveAgentFields    `json:"fields"`
}

type liveAgentFields struct {
	State    string         `json:"state" doc:"The state of the agent: LoggedOut, NotReady, Ready, or another that the desktop has set." example:"Ready"`
	Previous string         `json:"previous" doc:"The state before." example:"NotReady"`
	Channels []agentChannel `json:"channels" doc:"The channels for which the agent is logged in."`
}

// agentChannel is a channel for which an agent is logged in.
type agentChannel struct {
	Channel string    `json:"channel" doc:"The channel of the agent's desktop." example:"voice"`
	State   string    `json:"state" doc:"The state of the agent on the channel." example:"Ready"`
	Since   time.Time `json:"since" doc:"Since when."`
}

func agentChannels(a *presence.Agent) []agentChannel {
	list := make([]agentChannel, len(a.Channels))
	for i, c := range a.Channels {
		list[i] = agentChannel{Channel: c.Name, State: c.State, Since: c.Since.UTC()}
	}
	return list
}

func agentEvent(before, after presence.Agent) *liveAgent {
	return &liveAgent{
		ContactCenter: after.ContactCenter, When: whenAgentState, At: after.Changed.UTC(), Agent: &interaction.Agent{ID: after.ID},
		Fields: liveAgentFields{State: after.State, Previous: before.State, Channels: agentChannels(&after)},
	}
}

// presence reports whether the stream has the change of an agent's presence.
func (i *interest) presence(before, after *presence.Agent) bool {
	return after.ContactCenter == i.contactCenter && len(i.interactions) == 0 && len(i.queues) == 0 && has(i.agents, after.ID) &&
		i.moment(whenAgentState) && (before.State != after.State || !slices.Equal(before.Channels, after.Channels))
}

// agentFeed is the changes of agents' presence that wait for a stream.
type agentFeed struct {
	mu      sync.Mutex
	waiting []*liveAgent
	isOver  bool
	wake    context.CancelFunc
}

// watchAgents collects the changes of agents' presence from now on, until the returned function is called.
func (s *stream) watchAgents() (stop func()) {
	if s.api.Presence == nil {
		return func() {}
	}
	return s.api.Presence.Watch(func(before, after presence.Agent) {
		if s.wanted.presence(&before, &after) {
			s.agents.add(agentEvent(before, after))
		}
	})
}

func (f *agentFeed) add(e *liveAgent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == maxAgentEvents {
		f.isOver = true
	} else {
		f.waiting = append(f.waiting, e)
	}
	if f.wake != nil {
		f.wake()
	}
}

// wakes has wake called when a change waits.
func (f *agentFeed) wakes(wake context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wake = wake
	if len(f.waiting) > 0 {
		wake()
	}
}

// take returns the changes that wait. It fails if there were too many.
func (f *agentFeed) take() ([]*liveAgent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isOver {
		return nil, errTooSlow
	}
	taken := f.waiting
	f.waiting, f.wake = nil, nil
	return taken, nil
}

// showAgents sends the changes of agents' presence that wait.
func (s *stream) showAgents() error {
	changes, err := s.agents.take()
	if err != nil {
		return err
	}
	for _, change := range changes {
		if err := s.send("", whenAgentState, change); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		s.flush()
	}
	return s.failure
}
