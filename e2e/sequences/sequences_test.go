package sequences_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"golang.org/x/sync/errgroup"

	"segue/client"
)

// The configuration has moments and timers that cause Temporal commands: deliveries that arrive at once, and
// deliveries that a lane retries.
const configuration = `
calls:
  - {name: quick, method: POST, url: %[1]s/quick, json: {sequence: "${event.sequence}"}}
  - {name: flaky, method: POST, url: %[1]s/flaky, json: {sequence: "${event.sequence}"}, retry: {schedule: [50ms, 100ms, 200ms]}}
triggers:
  - {when: [interaction_starts, inbound.queue_event, inbound.agent_connect, inbound.dtmf, interaction_ends], call: quick}
  - {when: [script_signal, survey], call: flaky}
timeouts: {default: {offer: 700ms, queue: 3s, wrap_up: 400ms, engagement: 1s, late_events: 300ms}}
guard: {allow: ["127.0.0.0/8"]}
`

// atOnce is how many sequences are played at the same time; steps is how many commands each has.
const (
	atOnce = 25
	steps  = 12
)

// TestRandomSequences plays interactions in real time and compares their answers with their histories.
func TestRandomSequences(t *testing.T) {
	base := *seed
	if base == 0 {
		base = rand.Uint64()
	}
	t.Logf("-sequences %d -seed %d", *sequences, base)
	receiver := newReceiver(t)
	queue := nameOf(t)
	for range 2 {
		startWorker(t, queue, fmt.Sprintf(configuration, receiver))
	}
	c, err := dial(t.Context(), temporal.Address, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)

	var sum totals
	var group errgroup.Group
	group.SetLimit(atOnce)
	begin := time.Now()
	for n := range *sequences {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			s := &sequence{
				ctx: ctx, random: rand.New(rand.NewPCG(base, uint64(n))),
				client: &client.Client{Temporal: c, TaskQueue: queue}, name: client.Name{ContactCenter: queue, ID: fmt.Sprintf("s%d", n)},
			}
			if err := sum.add(s); err != nil {
				t.Errorf("sequence %d of -seed %d: %v\n%s\n%s", n, base, err, strings.Join(s.log, "\n"), outline(t.Context(), c, s.name.WorkflowID()))
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	others, err := replayOthers(t.Context(), c, queue)
	require.NoError(t, err)
	t.Logf("%s, %d histories of lanes and receivers, in %s", &sum, others, time.Since(begin).Round(time.Second))
	require.Equal(t, *sequences, sum.played)
	if *sequences >= 100 { // in fewer, something may not occur
		require.Positive(t, sum.signals)
		require.Positive(t, sum.refused)
		require.Greater(t, sum.updates, sum.refused)
		require.Greater(t, sum.answers, len(queries)*sum.played, "interactions were queried during their lives")
		require.Positive(t, others)
	}
}

// totals are the figures of a run.
type totals struct {
	mu                                                                 sync.Mutex
	played, signals, updates, refused, answers, repeated, wrong, tasks int
}

func (t *totals) String() string {
	return fmt.Sprintf("%d sequences, %d signals, %d updates (%d refused), %d workflow tasks, %d answers to queries (%d of no state, %d asked again)",
		t.played, t.signals, t.updates, t.refused, t.tasks, t.answers, t.wrong, t.repeated)
}

// add plays a sequence, replays its histories, and judges its answers.
func (t *totals) add(s *sequence) error {
	runID, err := s.play(steps)
	if err != nil {
		return err
	}
	// The interaction is completed, and no worker has it in its cache.
	for _, query := range queries {
		if err := s.query(query); err != nil {
			return fmt.Errorf("after the end: %w", err)
		}
	}
	passed := states{}
	for runID != "" {
		history, next, err := historyOf(s.ctx, s.client.Temporal, s.name.WorkflowID(), runID)
		if err != nil {
			return err
		}
		if err := passed.replayed(history); err != nil {
			return fmt.Errorf("replay of run %s: %w", runID, err)
		}
		runID = next
	}
	wrong := passed.judge(s.asked)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.played++
	t.signals += s.signals
	t.updates += s.updates
	t.refused += s.refused
	t.answers += len(s.asked)
	t.repeated += s.repeated
	t.wrong += len(wrong)
	t.tasks += len(passed[queries[0]])
	return errors.Join(wrong...)
}

// judge reports the answers that match no state of the history, or an earlier one than an answer before.
func (s states) judge(answers []asked) (wrong []error) {
	last := 0
	for n, a := range answers {
		found := s.find(a.query, a.answer, last)
		switch {
		case found >= 0:
			last = found
		case s.find(a.query, a.answer, 0) >= 0:
			wrong = append(wrong, fmt.Errorf("answer %d, to %s, is older than one before it: %s", n, a.query, a.answer))
		default:
			wrong = append(wrong, fmt.Errorf("answer %d, to %s, is of no state of the history: %s\nafter state %d: %s",
				n, a.query, a.answer, last, s[a.query][last]))
		}
	}
	return wrong
}

func isOver(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}

// newReceiver answers at /quick at once, and at /flaky every second time with 503.
func newReceiver(t *testing.T) (url string) {
	var mu sync.Mutex
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(rand.N(30 * time.Millisecond))
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/flaky" {
			if tries++; tries%2 == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
