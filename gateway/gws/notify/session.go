package notify

import (
	"time"

	"segue/gateway/cometd"
)

// agent is an agent with sessions here, lost ones, or workbins that are watched.
type agent struct {
	name     Agent
	sessions map[*cometd.Session]*session
	lost     []*lost
	ends     []*end
	endBytes int
	watches  map[string]*watch
	// idleSince is when the last session ended; zero while there is one.
	idleSince time.Time
}

// session is a session that has had a topic.
type session struct {
	peer *cometd.Session
	user User
	// follows is the lost session that this one follows; nil for a fresh one. recovered has the topics on
	// which the session was sent what it had missed, and recoveredAt when the last of that was.
	follows     *lost
	recovered   map[string]bool
	recoveredAt time.Time
}

// closed is a session that has ended.
type closed struct {
	session *cometd.Session
	why     cometd.End
	at      time.Time
}

func (n *Notifier) agentFor(name Agent) *agent {
	a := n.agents[name]
	if a == nil {
		a = &agent{name: name, sessions: map[*cometd.Session]*session{}, watches: map[string]*watch{}, idleSince: time.Now()}
		n.agents[name] = a
	}
	return a
}

// Subscribed notes the topics of a session. The first subscription to a topic by a session that follows a
// lost one brings the present state of the agent's interactions, and the end of those that ended meanwhile.
func (n *Notifier) Subscribed(s *cometd.Session, subscriptions []string) {
	user, isAgent := userOf(s)
	if !isAgent {
		return
	}
	n.lock()
	defer n.mu.Unlock()
	if _, isGone := n.gone[s]; isGone {
		return
	}
	a := n.agentFor(Agent{user.ContactCenter, user.Agent})
	known := a.sessions[s]
	if known == nil {
		known = &session{peer: s, user: user, recovered: map[string]bool{}}
		a.sessions[s] = known
		a.idleSince = time.Time{}
		known.follows = a.claim(browserOf(s), time.Now())
	}
	for _, topic := range interactionTopics {
		if covers(subscriptions, topic) {
			n.restore(a, known, topic)
		}
	}
}

// Closed forgets a session, or keeps for 15 minutes what it had if it was lost. It does not wait.
func (n *Notifier) Closed(s *cometd.Session, why cometd.End) {
	n.closingMu.Lock()
	n.closing = append(n.closing, closed{session: s, why: why, at: time.Now()})
	n.closingMu.Unlock()
}

// remove removes a session that has ended.
func (n *Notifier) remove(c closed) {
	n.gone[c.session] = c.at
	user, _ := userOf(c.session)
	a := n.agents[Agent{user.ContactCenter, user.Agent}]
	if a == nil || a.sessions[c.session] == nil {
		return
	}
	s := a.sessions[c.session]
	delete(a.sessions, c.session)
	if len(a.sessions) == 0 {
		a.idleSince = c.at
	}
	if c.why != cometd.EndDisconnect {
		n.lose(a, s, c.at)
	}
}

// send queues a message.
func (s *session) send(m message) {
	s.peer.Deliver(m.Topic, m.Data)
}

func browserOf(s *cometd.Session) string {
	if h := s.Handshake(); h != nil {
		return h.Browser
	}
	return ""
}
