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

// temporal takes reports and writes them down: "10s start crm failing since 0s".
type temporal struct {
	client.Client
	begin time.Time

	mu      sync.Mutex
	reports []string
	open    bool          // a Receiver workflow is open
	broken  bool          // every signal fails
	takes   time.Duration // how long a signal takes
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
	f.reports = append(f.reports, text)
	return nil
}

func (f *temporal) set(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

// bench is a reporter in virtual time.
type bench struct {
	*alerts.Reporter
	t        *testing.T
	temporal *temporal
	log      *strings.Builder
	n        int
}

// inVirtualTime runs a test with a reporter, and closes the reporter at its end.
func inVirtualTime(t *testing.T, rules contract.AlertRules, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		log := &strings.Builder{}
		b := &bench{t: t, temporal: &temporal{begin: time.Now()}, log: log}
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

func (b *bench) attempt(verdict contract.Verdict, class string) alerts.Attempt {
	b.n++
	return alerts.Attempt{
		Owner:   owner,
		Request: contract.Request{ID: fmt.Sprintf("d%d", b.n), Call: "crm"},
		Outcome: contract.Outcome{Verdict: verdict, Class: class, At: time.Now()},
	}
}

func (b *bench) fails(class string) { b.Observe(b.attempt(contract.VerdictRetry, class)) }

func (b *bench) trips() {
	a := b.attempt(contract.VerdictRetry, "refused")
	a.BreakerOpen = true
	b.Observe(a)
}

func (b *bench) delivers() { b.Observe(b.attempt(contract.VerdictDelivered, "ok")) }

func (b *bench) deliversInLane() {
	a := b.attempt(contract.VerdictDelivered, "ok")
	a.InLane = true
	b.Observe(a)
}

func (b *bench) park() {
	a := b.attempt(contract.VerdictFinal, "gone")
	b.Parked(b.t.Context(), a.Owner, a.Request, a.Outcome)
}

func (b *bench) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// reports returns what Temporal has got since the last call.
func (b *bench) reports() []string {
	b.temporal.mu.Lock()
	defer b.temporal.mu.Unlock()
	reports := b.temporal.reports
	b.temporal.reports = nil
	return reports
}

func TestAFailingReceiverIsReportedOnce(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{FailingAfter: 5 * time.Minute}, func(b *bench) {
		for range 5000 {
			b.fails("http_5xx") // of as many lanes
		}
		for range 150 {
			b.fails("http_5xx")
			b.after(3 * time.Second)
		}
		assert.Equal(t, []string{"10s start crm failing since 0s http_5xx d5004"}, b.reports())
		b.delivers()
		b.after(time.Second)
		b.delivers()
		b.after(time.Hour)
		assert.Equal(t, []string{"7m30s signal crm delivered"}, b.reports())
	})
}

func TestShortFailuresAreNotReported(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		for range 20 {
			b.fails("http_5xx")
			b.after(9 * time.Second)
			b.delivers()
			b.after(time.Second)
		}
		b.after(time.Hour)
		assert.Empty(t, b.reports())
	})
}

func TestAShorterFailingAfterShortensTheGracePeriod(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{FailingAfter: 2 * time.Second}, func(b *bench) {
		b.fails("timeout")
		b.after(time.Minute)
		assert.Equal(t, []string{"2s start crm failing since 0s timeout d1"}, b.reports())
	})
}

func TestAnOpenBreakerIsReportedAtOnce(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		for range 4 {
			b.fails("refused")
		}
		b.trips()
		b.trips()
		b.after(time.Minute)
		assert.Equal(t, []string{"0s start crm breaker_open since 0s refused d6"}, b.reports())
		b.delivers()
		b.after(time.Minute)
		b.fails("refused")
		b.after(10 * time.Second)
		b.trips()
		b.after(time.Second)
		assert.Equal(t, []string{"1m0s signal crm delivered", "2m10s start crm failing since 2m0s refused d8", "2m10s start crm breaker_open since 2m0s refused d9"}, b.reports())
	})
}

// The last report may have been that of another process, to which the receiver delivers.
func TestAReceiverThatKeepsFailingIsReportedAgain(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		for range 30 {
			b.fails("timeout")
			b.after(time.Minute)
		}
		assert.Equal(t, []string{
			"10s start crm failing since 0s timeout d1", "10m10s start crm failing since 0s timeout d11", "20m10s start crm failing since 0s timeout d21",
		}, b.reports())
		b.after(24 * time.Hour)
		assert.Len(t, b.reports(), 1, "the last failure; nothing follows while nothing is attempted")
	})
}

// The process that reported the failure may have died.
func TestSuccessesOfLanesAreReportedOnceAMinute(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		b.delivers()
		for range 100 {
			b.deliversInLane()
			b.after(time.Second)
		}
		b.after(time.Hour)
		assert.Equal(t, []string{"0s signal crm delivered", "1m0s signal crm delivered", "2m0s signal crm delivered"}, b.reports())
		delivered, failed := b.Last("crm")
		assert.Equal(t, 99*time.Second, delivered.Sub(b.temporal.begin))
		assert.Zero(t, failed)
	})
}

func TestAttemptsThatSayNothingAboutTheReceiverAreNotReported(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		limited := b.attempt(contract.VerdictRetry, "limited")
		limited.Outcome.Free = true
		b.Observe(limited)
		b.Observe(b.attempt(contract.VerdictInFlight, "in_flight"))
		b.Observe(b.attempt(contract.VerdictFinal, "http_4xx"))
		b.Observe(b.attempt(contract.VerdictFinal, "render"))
		b.after(time.Hour)
		assert.Empty(t, b.reports())
		b.Observe(b.attempt(contract.VerdictFinal, "http_5xx")) // the last of its schedule
		b.after(time.Minute)
		assert.Len(t, b.reports(), 1)
		b.Observe(b.attempt(contract.VerdictDelivered, "dry_run"))
		b.after(time.Minute)
		assert.Empty(t, b.reports(), "a dry run has asked no receiver")
	})
}

// When the server repeats a workflow task, an earlier outcome is observed again.
func TestAnOldOutcomeChangesNothing(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		old := b.attempt(contract.VerdictDelivered, "ok")
		b.Observe(old)
		b.after(time.Second)
		b.fails("reset")
		b.Observe(old)
		b.after(time.Minute)
		assert.Equal(t, []string{"11s start crm failing since 1s reset d2"}, b.reports())
	})
}

func TestParkedDeliveriesAreReportedAtOnceThenOnceAMinute(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		b.park()
		assert.Equal(t, []string{"0s start crm parked 1 d1"}, b.reports(), "before Parked returns")
		for range 5000 {
			b.park()
		}
		assert.Zero(t, time.Since(b.temporal.begin), "no call waited")
		b.after(30 * time.Second)
		assert.Empty(t, b.reports())
		b.after(24 * time.Hour)
		assert.Equal(t, []string{"1m0s start crm parked 5000 d5001"}, b.reports())
		b.park()
		b.after(0)
		assert.Len(t, b.reports(), 1)
	})
}

func TestAReportThatFailsIsRetriedAndBlocksNothing(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		b.temporal.set(true)
		b.fails("timeout")
		b.after(10 * time.Second)
		before := time.Now()
		for range 100 {
			b.park()
		}
		assert.LessOrEqual(t, time.Since(before), 2*time.Second)
		b.after(5 * time.Minute)
		assert.Empty(t, b.reports())
		assert.Contains(t, b.log.String(), `call=crm health=failing`)
		assert.LessOrEqual(t, strings.Count(b.log.String(), "\n"), 15)
		b.temporal.set(false)
		b.after(time.Minute)
		reports := b.reports()
		require.Len(t, reports, 1)
		assert.Contains(t, reports[0], "crm failing since 0s timeout d1 parked 100 d101")
	})
}

func TestAReportThatHangsTimesOut(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
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
		assert.Len(t, b.reports(), 1)
	})
}

func TestCloseReportsWhatIsLeft(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		b.park()
		b.park()
		b.reports()
		b.Close(b.t.Context())
		assert.Equal(t, []string{"0s start crm parked 1 d2"}, b.reports())
	})
}

// A failed alert causes no alert: alerts about alerts would never end.
func TestFailedAlertsAreOnlyLogged(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		for range 10 {
			a := b.attempt(contract.VerdictRetry, "refused")
			a.Owner, a.BreakerOpen = contract.Owner{Receiver: "segue/bi", FirstRunID: "r"}, true
			b.Observe(a)
			b.Parked(b.t.Context(), a.Owner, a.Request, a.Outcome)
			b.after(time.Minute)
		}
		assert.Empty(t, b.reports())
		assert.Contains(t, b.log.String(), `msg="an alert was not delivered" call=crm receiver=segue/bi`)
	})
}

func TestCallsAreReportedSeparately(t *testing.T) {
	inVirtualTime(t, contract.AlertRules{}, func(b *bench) {
		for _, call := range []string{"crm", "bi"} {
			a := b.attempt(contract.VerdictRetry, "refused")
			a.Request.Call = call
			b.Observe(a)
		}
		b.after(time.Minute)
		assert.ElementsMatch(t, []string{"10s start crm failing since 0s refused d1", "10s start bi failing since 0s refused d2"}, b.reports())
	})
}

func TestANilReporterDoesNothing(t *testing.T) {
	var none *alerts.Reporter
	none.Observe(alerts.Attempt{})
	none.Parked(t.Context(), owner, contract.Request{}, contract.Outcome{})
	delivered, failed := none.Last("crm")
	assert.Zero(t, delivered)
	assert.Zero(t, failed)
	none.Close(t.Context())
}
