package gws_test

import (
	"context"
	"errors"

	"segue/bus"
	"segue/contract"
	"segue/e2e/stack"
)

// ledger has every change of every interaction, as the bus has it.
type ledger struct {
	watched
	notices map[string][]*contract.Notice
}

func newLedger() *ledger { return &ledger{notices: map[string][]*contract.Notice{}} }

// follow reads what comes from now on, until the end of the stack.
func (l *ledger) follow(s *stack.Stack) error {
	ctx, cancel := context.WithCancel(context.Background())
	now, err := s.Bus.Conn.Last(ctx)
	if err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Bus.Conn.Consume(ctx, now, func(m bus.Message) { l.note(m.Notice) }) }()
	s.AtEnd(func() error {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	return nil
}

// note keeps a notice, once.
func (l *ledger) note(n *contract.Notice) {
	l.update(func() {
		for _, known := range l.notices[n.Interaction] {
			if known.Revision == n.Revision && known.RunID == n.RunID {
				return
			}
		}
		l.notices[n.Interaction] = append(l.notices[n.Interaction], n)
	})
}

// after returns the notices of an interaction after a revision, once there are as many as wanted.
func (l *ledger) after(id string, revision int64, want int) []*contract.Notice {
	var found []*contract.Notice
	l.until(func() bool {
		found = nil
		for _, n := range l.notices[id] {
			if n.Revision > revision {
				found = append(found, n)
			}
		}
		return len(found) >= want
	})
	return found
}
