package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"segue/client"
	"segue/gateway/gws/view"
)

const (
	// lostFor is how long a lost session may be followed by a new one.
	lostFor = 15 * time.Minute
	// lostLimit bounds the lost sessions of an agent. It is the number of sessions that a user may have.
	lostLimit = 10
	// endsLimit and endsBytes bound the kept ends of an agent, and allEndsBytes those of all.
	endsLimit    = 200
	endsBytes    = 1 << 20
	allEndsBytes = 64 << 20
	// hadLimit bounds the interactions that a lost session is known to have had.
	hadLimit = 1000
)

// lost is a session that ended and that the client did not end.
type lost struct {
	browser string
	base    string
	at      time.Time
	// since is from when on its client may lack messages.
	since time.Time
	// had has the interactions that the client knows.
	had map[client.Name]bool
}

// end is how an interaction ended for an agent: the last message on each topic, by the base of its URIs. at is
// when it was delivered to sessions.
type end struct {
	interaction client.Name
	at          time.Time
	messages    map[string][]message
}

func (e *end) size() int {
	size := 0
	for _, messages := range e.messages {
		for _, m := range messages {
			size += len(m.Topic) + len(m.Data)
		}
	}
	return size
}

// messagesFor returns the messages for a base. A browser that comes back by another address gets those for
// the former one.
func (e *end) messagesFor(base string) []message {
	if messages, isKnown := e.messages[base]; isKnown {
		return messages
	}
	for _, other := range slices.Sorted(maps.Keys(e.messages)) {
		return e.messages[other]
	}
	return nil
}

// keep keeps an end for the sessions that may lack it.
func (n *Notifier) keep(a *agent, e *end) {
	size := e.size()
	if size == 0 {
		return
	}
	a.ends = append(a.ends, e)
	a.endBytes += size
	n.endBytes += size
	n.forgetEnds(a, time.Now())
	if n.endBytes > n.endsOfAll {
		n.halveEnds()
	}
}

// halveEnds forgets the older half of what is kept for the agent for whom most is: others must not lack
// their ends because of it.
func (n *Notifier) halveEnds() {
	var most *agent
	for _, a := range n.agents {
		if most == nil || a.endBytes > most.endBytes {
			most = a
		}
	}
	for left := most.endBytes / 2; most.endBytes > left; {
		n.dropFirst(most)
	}
}

func (n *Notifier) dropFirst(a *agent) {
	first := a.ends[0]
	n.dropEnds(a, func(e *end) bool { return e == first })
}

// forget forgets an earlier end of an interaction: the agent takes part in it again, or it ended again.
func (n *Notifier) forget(a *agent, name client.Name) {
	n.dropEnds(a, func(e *end) bool { return e.interaction == name })
}

// forgetEnds forgets the ends that no session lacks, and the oldest beyond the bounds.
func (n *Notifier) forgetEnds(a *agent, now time.Time) {
	since := now
	for _, l := range a.lost {
		since = earlier(since, l.since)
	}
	for _, s := range a.sessions {
		since = earlier(since, s.lacksSince(now))
	}
	n.dropEnds(a, func(e *end) bool { return e.at.Before(since) })
	for len(a.ends) > endsLimit || a.endBytes > endsBytes {
		n.dropFirst(a)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (n *Notifier) dropEnds(a *agent, drop func(*end) bool) {
	a.ends = slices.DeleteFunc(a.ends, func(e *end) bool {
		if !drop(e) {
			return false
		}
		a.endBytes -= e.size()
		n.endBytes -= e.size()
		return true
	})
}

// lacksSince returns from when on the client may lack messages, of this session or the one that it follows.
func (s *session) lacksSince(now time.Time) time.Time {
	since := s.peer.LacksSince()
	if s.isRecovering(now) {
		return earlier(since, s.follows.since)
	}
	return since
}

// isRecovering reports whether the client may not have all that the session before it missed.
func (s *session) isRecovering(now time.Time) bool {
	if s.follows == nil {
		return false
	}
	mayAsk := len(s.recovered) < len(interactionTopics) && now.Sub(s.follows.at) <= lostFor
	return mayAsk || !s.peer.LacksSince().After(s.recoveredAt)
}

// lose keeps what a session had. A session without a browser cannot be followed.
func (n *Notifier) lose(a *agent, s *session, at time.Time) {
	browser := browserOf(s.peer)
	if browser == "" {
		return
	}
	l := &lost{browser: browser, base: s.user.Base, at: at, since: s.lacksSince(at), had: map[client.Name]bool{}}
	if s.isRecovering(at) {
		maps.Copy(l.had, s.follows.had)
	}
	for name := range n.parts[a.name] {
		if len(l.had) < hadLimit {
			l.had[name] = true
		}
	}
	for _, e := range a.ends {
		if !e.at.Before(s.peer.LacksSince()) {
			l.had[e.interaction] = true
		}
	}
	a.lost = append(a.lost, l)
	if len(a.lost) > lostLimit {
		a.lost = slices.Delete(a.lost, 0, 1)
	}
}

// claim returns the lost session of the same browser that ended last, and gives it to one session alone.
func (a *agent) claim(browser string, now time.Time) *lost {
	for i := len(a.lost) - 1; i >= 0 && browser != ""; i-- {
		if l := a.lost[i]; l.browser == browser && now.Sub(l.at) <= lostFor {
			a.lost = slices.Delete(a.lost, i, i+1)
			return l
		}
	}
	return nil
}

// restore sends on a topic what a session missed there while its client had none: the present state of the
// agent's interactions, and the end of each that ended.
func (n *Notifier) restore(a *agent, s *session, topic string) {
	if s.follows == nil || s.recovered[topic] || time.Since(s.follows.at) > lostFor {
		return
	}
	s.recovered[topic] = true
	present := slices.SortedFunc(maps.Values(n.parts[a.name]), func(x, y *record) int {
		return cmp.Or(x.look.State.StartedAt.Compare(y.look.State.StartedAt), cmp.Compare(x.name.ID, y.name.ID))
	})
	for _, r := range present {
		n.guard(r.name, func() { s.sendMissed(topic, view.Present(*r.look, a.name.ID, s.user.Base)) })
	}
	for _, e := range a.ends {
		if s.follows.had[e.interaction] && !e.at.Before(s.follows.since) {
			s.sendMissed(topic, e.messagesFor(s.user.Base))
		}
	}
	s.recoveredAt = time.Now()
}

// sendMissed sends those of the messages that are for a topic.
func (s *session) sendMissed(topic string, messages []message) {
	for _, m := range messages {
		if m.Topic == topic {
			s.peer.DeliverMissed(m.Topic, m.Data)
		}
	}
}
