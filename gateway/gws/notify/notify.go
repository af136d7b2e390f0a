package notify

import (
	"context"
	"encoding/json"
	"log/slog"

	"segue/gateway/cometd"
	"segue/gateway/index"
	"segue/gateway/presence"
)

// Agent is an agent of a contact center.
type Agent struct{ ContactCenter, ID string }

// User is the Value of a cometd.Peer: whom a session belongs to.
type User struct {
	ContactCenter string
	// Agent is empty for a user who is no agent: such a session has no topics.
	Agent string
	// Base is the start of absolute URIs in what the session is sent.
	Base string
}

// Options configure a notifier.
type Options struct {
	Index    *index.Index
	Presence *presence.Presence
	Log      *slog.Logger
}

// Notifier tells sessions what changes. It is safe for concurrent use.
type Notifier struct{ options Options }

// New returns a notifier, which tells nothing until Run.
func New(o Options) *Notifier { return &Notifier{options: o} }

// Run reads the live stream until the context ends.
func (n *Notifier) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Grants, Subscribed and Closed are for cometd.Options.
func (n *Notifier) Grants(s *cometd.Session, subscription string) bool { return false }

// Subscribed notes the topics of a session. The first subscription to a topic by a session that follows
// a lost one brings the present state of the agent's interactions.
func (n *Notifier) Subscribed(s *cometd.Session, subscriptions []string) {}

// Closed forgets a session, or keeps for 15 minutes what it knew if it was lost.
func (n *Notifier) Closed(s *cometd.Session, why cometd.End) {}

// WatchWorkbin notifies all sessions of an agent of what comes into a workbin and leaves it, and
// UnwatchWorkbin ends that. workbin is a text or an object.
func (n *Notifier) WatchWorkbin(a Agent, id string, workbin any, referenceID json.RawMessage) {}

// UnwatchWorkbin is the opposite of WatchWorkbin.
func (n *Notifier) UnwatchWorkbin(a Agent, id string, workbin any, referenceID json.RawMessage) {}

// WorkbinContent sends the interactions of a workbin to the agent's sessions.
func (n *Notifier) WorkbinContent(a Agent, id string, entries []*index.Entry, more bool, referenceID json.RawMessage) {
}
