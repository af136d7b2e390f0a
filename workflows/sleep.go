package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// sleeper waits for a time or for a condition. While the time stays the same, its timer
// keeps running, so that a wake-up adds no timer events to the history.
type sleeper struct{ running *sleep }

type sleep struct {
	until time.Time
	over  bool
	stop  workflow.CancelFunc
}

// sleep waits until awake reports true or until the time; a zero time never comes.
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
