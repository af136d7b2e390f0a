package notify

import (
	"context"
	"time"
)

// sweepEvery is how often the notifier forgets what is too old, and looks for what it has missed.
const sweepEvery = time.Minute

func (n *Notifier) sweeps(ctx context.Context) error {
	for {
		if err := pause(ctx, sweepEvery); err != nil {
			return err
		}
		n.sweep(time.Now())
	}
}

func (n *Notifier) sweep(now time.Time) {
	n.lock()
	defer n.mu.Unlock()
	n.forgetEnded()
	for s, at := range n.gone {
		if now.Sub(at) > sweepEvery {
			delete(n.gone, s)
		}
	}
	for _, a := range n.agents {
		n.forgetOld(a, now)
	}
	if n.complete {
		n.verify()
	}
}

// forgetOld forgets lost sessions, ends and watched workbins of an agent after their time.
func (n *Notifier) forgetOld(a *agent, now time.Time) {
	for len(a.lost) > 0 && now.Sub(a.lost[0].at) > lostFor {
		a.lost = a.lost[1:]
	}
	n.forgetEnds(a, now)
	if len(a.sessions) > 0 || len(a.lost) > 0 || now.Sub(a.idleSince) <= watchFor {
		return
	}
	for id := range a.watches {
		n.unwatch(a, id)
	}
	n.dropEnds(a, func(*end) bool { return true })
	delete(n.agents, a.name)
}

// verify compares what sessions have seen with the index. What differs for a whole minute was missed: an
// interaction that was terminated has no last change.
func (n *Notifier) verify() {
	for _, r := range n.records {
		if r.look == nil || r.wait != nil {
			continue
		}
		e, isOpen := n.options.Index.Get(r.name)
		differs := !isOpen || e.State.RunID != r.run || e.State.Revision > r.revision
		if differs && r.differs {
			n.ask(r, nil)
		}
		r.differs = differs
	}
}
