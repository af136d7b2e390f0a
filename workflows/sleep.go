package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// sleeper waits for a moment or for something that comes before it. While the moment
// stays the same its timer goes on, so that what comes costs no event but its own.
type sleeper struct{ running *sleep }

type sleep struct {
	until time.Time
	over  bool
	stop  workflow.CancelFunc
}

// sleep waits until it is woken or the moment has come; a zero one never does.
func (s *sleeper) sleep(ctx workflow.Context, until time.Time, summary string, awake func() bool) error {
	if s.running != nil && (s.running.over || !s.running.until.Equal(until)) {
		s.running.stop()
		s.running = nil
	}
	if until.IsZero() {
		return workflow.Await(ctx, awake)
	}
	if s.running == nil {
		s.running = newSleep(ctx, until, summary)
	}
	now := s.running
	return workflow.Await(ctx, func() bool { return now.over || awake() })
}

func newSleep(ctx workflow.Context, until time.Time, summary string) *sleep {
	ctx, stop := workflow.WithCancel(ctx)
	s := &sleep{until: until, stop: stop}
	timer := workflow.NewTimerWithOptions(ctx, until.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: summary})
	workflow.Go(ctx, func(ctx workflow.Context) { s.over = timer.Get(ctx, nil) == nil })
	return s
}
