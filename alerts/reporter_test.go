package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"

	"segue/alerts"
	"segue/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// temporal takes tellings and writes them down: "10s crm failing since 0s".
type temporal struct {
	client.Client
	begin time.Time

	mu     sync.Mutex
	told   []string
	open   bool          // a Receiver workflow is there
	broken bool          // it takes nothing
	takes  time.Duration // how long it takes to take something
}

func (f *temporal) SignalWorkflow(ctx context.Context, id, runID, name string, arg any) error {
	f.mu.Lock()
	open := f.open
	f.mu.Unlock()
	err := f.take(ctx, "signal", id, name, arg)
	if err == nil && !open {
		return serviceerror.NewNotFound("workflow not found")
	}
	return err
}

func (f *temporal) SignalWithStartWorkflow(ctx context.Context, id, name string, arg any, options client.StartWorkflowOptions,
	workflow any, args ...any) (client.WorkflowRun, error) {
	if options.ID != id || options.TaskQueue != "segue" || workflow != "Receiver" || len(args) != 1 {
		return nil, fmt.Errorf("started wrongly: %v %v %v", options, workflow, args)
	}
	call, _ := options.TypedSearchAttributes.GetKeyword(contract.AttributeCall)
	if start, ok := args[0].(contract.ReceiverStart); !ok || id != "receiver/segue/"+start.Call || call != start.Call {
		return nil, fmt.Errorf("started wrongly: %v %v", id, args)
	}
	err := f.take(ctx, "start", id, name, arg)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = f.open || err == nil
	return nil, err
}

func (f *temporal) take(ctx context.Context, how, id, name string, arg any) error {
	f.mu.Lock()
	broken, takes := f.broken, f.takes
	f.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if name != "tell" {
		return errors.New("wrong signal " + name)
	}
	if broken {
		return errors.New("unavailable")
	}
	t := arg.(contract.HealthReport)
	text := fmt.Sprintf("%s %s %s", time.Since(f.begin).Round(time.Second), how, strings.TrimPrefix(id, "receiver/segue/"))
	if t.Health != "" {
		text += " " + string(t.Health)
	}
	if t.Failure != nil {
		text += fmt.Sprintf(" since %s %s %s", t.Since.Sub(f.begin).Round(time.Second), t.Failure.Class, t.Failure.Delivery)
	}
	if t.Parked > 0 {
		text += fmt.Sprintf(" parked %d %s", t.Parked, t.LastParked.Delivery)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, text)
	return nil
}

func (f *temporal) set(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

// stage is a watch in virtual time.
type stage struct {
	*alerts.Reporter
	t        *testing.T
	temporal *temporal
	log      *strings.Builder
	n        int
}

// watching runs a test in virtual time; what it has not told at the end, it tells then.
func watching(t *testing.T, rules contract.AlertRules, test func(b *stage)) {
	synctest.Test(t, func(t *testing.T) {
		log := &strings.Builder{}
		b := &stage{t: t, temporal: &temporal{begin: time.Now()}, log: log}
		b.Reporter = alerts.New(alerts.Options{
			Temporal: b.temporal, TaskQueue: "segue", Log: slog.New(slog.NewTextHandler(log, nil)),
			Rules: func() contract.AlertRules { return rules },
		})
		test(b)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		b.Close(ctx)
	})
}

var owner = contract.Owner{ContactCenter: "cc", Interaction: "i-1", FirstRunID: "r"}

func (b *stage) attempt(verdict contract.Verdict, class string) alerts.Attempt {
	b.n++
	return alerts.Attempt{
		Owner:   owner,
		Request: contract.Request{ID: fmt.Sprintf("d%d", b.n), Call: "crm"},
		Outcome: contract.Outcome{Verdict: verdict, Class: class, At: time.Now()},
	}
}

func (b *stage) fails(class string) { b.Observe(b.attempt(contract.VerdictRetry, class)) }

func (b *stage) trips() {
	a := b.attempt(contract.VerdictRetry, "refused")
	a.BreakerOpen = true
	b.Observe(a)
}

func (b *stage) delivers() { b.Observe(b.attempt(contract.VerdictDelivered, "ok")) }

func (b *stage) deliversInLane() {
	a := b.attempt(contract.VerdictDelivered, "ok")
	a.InLane = true
	b.Observe(a)
}

func (b *stage) park() {
	a := b.attempt(contract.VerdictFinal, "gone")
	b.Parked(b.t.Context(), a.Owner, a.Request, a.Outcome)
}

func (b *stage) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *stage) told() []string {
	b.temporal.mu.Lock()
	defer b.temporal.mu.Unlock()
	told := b.temporal.told
	b.temporal.told = nil
	return told
}

func TestAFailingReceiverIsToldOnce(t *testing.T) {
	watching(t, contract.AlertRules{FailingAfter: 5 * time.Minute}, func(b *stage) {
		for range 5000 {
			b.fails("http_5xx") // of as many lanes
		}
		for range 150 {
			b.fails("http_5xx")
			b.after(3 * time.Second)
		}
		assert.Equal(t, []string{"10s start crm failing since 0s http_5xx d5004"}, b.told())
		b.delivers()
		b.after(time.Second)
		b.delivers()
		b.after(time.Hour)
		assert.Equal(t, []string{"7m30s signal crm delivered"}, b.told())
	})
}

func TestWhatPassesSoonIsNotTold(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		for range 20 {
			b.fails("http_5xx")
			b.after(9 * time.Second)
			b.delivers()
			b.after(time.Second)
		}
		b.after(time.Hour)
		assert.Empty(t, b.told())
	})
}

func TestOperatorsWhoWantToHearSoonerDo(t *testing.T) {
	watching(t, contract.AlertRules{FailingAfter: 2 * time.Second}, func(b *stage) {
		b.fails("timeout")
		b.after(time.Minute)
		assert.Equal(t, []string{"2s start crm failing since 0s timeout d1"}, b.told())
	})
}

func TestAnOpenBreakerIsToldAtOnce(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		for range 4 {
			b.fails("refused")
		}
		b.trips()
		b.trips()
		b.after(time.Minute)
		assert.Equal(t, []string{"0s start crm breaker_open since 0s refused d6"}, b.told())
		b.delivers()
		b.after(time.Minute)
		b.fails("refused")
		b.after(10 * time.Second)
		b.trips()
		b.after(time.Second)
		assert.Equal(t, []string{"1m0s signal crm delivered", "2m10s start crm failing since 2m0s refused d8", "2m10s start crm breaker_open since 2m0s refused d9"}, b.told())
	})
}

// Another process may have told last, and been wrong for this one.
func TestAReceiverThatGoesOnFailingIsToldAgain(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		for range 30 {
			b.fails("timeout")
			b.after(time.Minute)
		}
		assert.Equal(t, []string{
			"10s start crm failing since 0s timeout d1", "10m10s start crm failing since 0s timeout d11", "20m10s start crm failing since 0s timeout d21",
		}, b.told())
		b.after(24 * time.Hour)
		assert.Len(t, b.told(), 1, "the last failure; and nothing where nothing is tried")
	})
}

// The process that told of the failure may have died.
func TestALanesSuccessIsToldOnceAMinute(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		b.delivers()
		for range 100 {
			b.deliversInLane()
			b.after(time.Second)
		}
		b.after(time.Hour)
		assert.Equal(t, []string{"0s signal crm delivered", "1m0s signal crm delivered", "2m0s signal crm delivered"}, b.told())
		delivered, failed := b.Last("crm")
		assert.Equal(t, 99*time.Second, delivered.Sub(b.temporal.begin))
		assert.Zero(t, failed)
	})
}

func TestWhatSaysNothingOfAReceiver(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		limited := b.attempt(contract.VerdictRetry, "limited")
		limited.Outcome.Free = true
		b.Observe(limited)
		b.Observe(b.attempt(contract.VerdictInFlight, "in_flight"))
		b.Observe(b.attempt(contract.VerdictFinal, "http_4xx"))
		b.Observe(b.attempt(contract.VerdictFinal, "render"))
		b.after(time.Hour)
		assert.Empty(t, b.told())
		b.Observe(b.attempt(contract.VerdictFinal, "http_5xx")) // the last of its schedule
		b.after(time.Minute)
		assert.Len(t, b.told(), 1)
		b.Observe(b.attempt(contract.VerdictDelivered, "dry_run"))
		b.after(time.Minute)
		assert.Empty(t, b.told(), "a dry run has asked nobody")
	})
}

// The server has a workflow task redone, and with it an outcome of before is seen again.
func TestAnOldOutcomeChangesNothing(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		old := b.attempt(contract.VerdictDelivered, "ok")
		b.Observe(old)
		b.after(time.Second)
		b.fails("reset")
		b.Observe(old)
		b.after(time.Minute)
		assert.Equal(t, []string{"11s start crm failing since 1s reset d2"}, b.told())
	})
}

func TestParkedOnesAreToldAtOnceThenOnceAMinute(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		b.park()
		assert.Equal(t, []string{"0s start crm parked 1 d1"}, b.told(), "before whoever parks goes on")
		for range 5000 {
			b.park()
		}
		assert.Zero(t, time.Since(b.temporal.begin), "nobody waited")
		b.after(30 * time.Second)
		assert.Empty(t, b.told())
		b.after(24 * time.Hour)
		assert.Equal(t, []string{"1m0s start crm parked 5000 d5001"}, b.told())
		b.park()
		b.after(0)
		assert.Len(t, b.told(), 1)
	})
}

func TestATellingThatFailsIsTriedAgainAndHoldsNobodyUp(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		b.temporal.set(true)
		b.fails("timeout")
		b.after(10 * time.Second)
		before := time.Now()
		for range 100 {
			b.park()
		}
		assert.LessOrEqual(t, time.Since(before), 2*time.Second)
		b.after(5 * time.Minute)
		assert.Empty(t, b.told())
		assert.Contains(t, b.log.String(), `call=crm health=failing`)
		assert.LessOrEqual(t, strings.Count(b.log.String(), "\n"), 15)
		b.temporal.set(false)
		b.after(time.Minute)
		told := b.told()
		require.Len(t, told, 1)
		assert.Contains(t, told[0], "crm failing since 0s timeout d1 parked 100 d101")
	})
}

func TestATellingThatHangsIsCut(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		b.temporal.takes = time.Hour
		before := time.Now()
		b.park()
		assert.Equal(t, time.Second, time.Since(before))
		b.after(time.Minute)
		assert.Contains(t, b.log.String(), "deadline exceeded")
		b.temporal.mu.Lock()
		b.temporal.takes = 0
		b.temporal.mu.Unlock()
		b.after(2 * time.Minute)
		assert.Len(t, b.told(), 1)
	})
}

func TestAProcessThatStopsTellsWhatItKnows(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		b.park()
		b.park()
		b.told()
		b.Close(b.t.Context())
		assert.Equal(t, []string{"0s start crm parked 1 d2"}, b.told())
	})
}

// An alert that does not arrive makes no alert, or there would be no end of them.
func TestAlertsAreOnlyLogged(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		for range 10 {
			a := b.attempt(contract.VerdictRetry, "refused")
			a.Owner, a.BreakerOpen = contract.Owner{Receiver: "segue/bi", FirstRunID: "r"}, true
			b.Observe(a)
			b.Parked(b.t.Context(), a.Owner, a.Request, a.Outcome)
			b.after(time.Minute)
		}
		assert.Empty(t, b.told())
		assert.Contains(t, b.log.String(), `msg="an alert did not arrive" call=crm about=segue/bi`)
	})
}

func TestCallsAreToldOfEachByItself(t *testing.T) {
	watching(t, contract.AlertRules{}, func(b *stage) {
		for _, call := range []string{"crm", "bi"} {
			a := b.attempt(contract.VerdictRetry, "refused")
			a.Request.Call = call
			b.Observe(a)
		}
		b.after(time.Minute)
		assert.ElementsMatch(t, []string{"10s start crm failing since 0s refused d1", "10s start bi failing since 0s refused d2"}, b.told())
	})
}

func TestNoWatchNoticesNothing(t *testing.T) {
	var none *alerts.Reporter
	none.Observe(alerts.Attempt{})
	none.Parked(t.Context(), owner, contract.Request{}, contract.Outcome{})
	delivered, failed := none.Last("crm")
	assert.Zero(t, delivered)
	assert.Zero(t, failed)
	none.Close(t.Context())
}
