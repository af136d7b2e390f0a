package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
)

// silent is a center in which some interactions do not answer some calls.
type silent struct {
	*center
	names map[string]bool
	err   error
	// rejected, received and update are the calls that are not answered.
	rejected, received, update bool
	// queries counts the queries for refused signals.
	queries int
}

func (m *silent) Rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error) {
	m.mu.Lock()
	m.queries++
	m.mu.Unlock()
	if m.rejected && m.names[n.ID] {
		return nil, m.err
	}
	return m.center.Rejected(ctx, n)
}

func (m *silent) Received(ctx context.Context, n client.Name) (map[string]bool, error) {
	if m.received && m.names[n.ID] {
		return nil, m.err
	}
	return m.center.Received(ctx, n)
}

func (m *silent) Update(ctx context.Context, n client.Name, command, id string, payload json.RawMessage) (contract.Answer, error) {
	if m.update && m.names[n.ID] {
		return contract.Answer{}, m.err
	}
	return m.center.Update(ctx, n, command, id, payload)
}

func (m *silent) Commands(ctx context.Context, n client.Name, id string, array json.RawMessage) ([]contract.CommandResult, error) {
	if m.update && m.names[n.ID] {
		return nil, m.err
	}
	return m.center.Commands(ctx, n, id, array)
}

// feedOf returns a feed that starts interactions and sends two commands to each.
func feedOf(ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, `{"interaction":%q,"command":"start","channel":"chat"}`+"\n", id)
	}
	for _, command := range []string{"one", "two"} {
		for _, id := range ids {
			fmt.Fprintf(&b, `{"interaction":%q,"command":%q}`+"\n", id, command)
		}
	}
	return b.String()
}

func TestAnInteractionThatDoesNotAnswerIsListedAndStopsNoOther(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f"}
	for name, err := range map[string]error{
		"no worker":              fmt.Errorf("x: %w on task queue segue", client.ErrNoWorker),
		"its tasks fail":         fmt.Errorf("x: %w", client.ErrStuck),
		"its query fails":        serviceerror.NewQueryFailed("unknown queryType rejected"),
		"no longer exists":       fmt.Errorf("x %w", client.ErrNotFound),
		"another Temporal error": serviceerror.NewInternal("shard"),
	} {
		for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
			t.Run(name+" by "+string(mode), func(t *testing.T) {
				if name == "no longer exists" && mode == feed.ModeUpdate {
					t.Skip("an update of an interaction that does not exist is rejected")
				}
				m := &silent{center: newCenter(), names: map[string]bool{"a": true, "d": true}, err: err, rejected: true, update: true}
				// The only worker queries "a" before any other interaction has answered. What is reported as stuck is asked again
				// for a minute, in the time of the bubble.
				var result feed.Result
				var failed error
				synctest.Test(t, func(t *testing.T) {
					result, failed = feed.Run(t.Context(), m, strings.NewReader(feedOf(ids...)), feed.Options{ContactCenter: "default", Parallel: 1, Mode: mode})
				})
				require.NoError(t, failed)
				require.Equal(t, 6+2*4, result.Accepted)
				require.Equal(t, 4, result.Unknown)
				require.Empty(t, result.Rejected)
				require.Equal(t, []feed.Unanswered{
					{Interaction: "default/a", Lines: []int{7, 13}, Reason: err.Error()},
					{Interaction: "default/d", Lines: []int{10, 16}, Reason: err.Error()},
				}, result.Unanswered)
			})
		}
	}
}

// A feed that is run again reads which event ids completed interactions have on record.
func TestACompletedInteractionThatDoesNotAnswerStopsNoRepeatedFeed(t *testing.T) {
	m := &silent{center: newCenter(), names: map[string]bool{"a": true}, err: fmt.Errorf("x: %w", client.ErrNoWorker)}
	text := strings.ReplaceAll(feedOf("a", "b"), `"two"`, `"end"`)
	for _, silence := range []*bool{nil, &m.rejected, &m.received} {
		m.rejected, m.received = false, false
		if silence != nil {
			*silence = true
		}
		var result feed.Result
		var err error
		synctest.Test(t, func(t *testing.T) {
			result, err = feed.Run(t.Context(), m, strings.NewReader(text), feed.Options{ContactCenter: "default", Parallel: 1})
		})
		require.NoError(t, err)
		if silence == nil {
			require.Equal(t, 6, result.Accepted)
			continue
		}
		require.Equal(t, 4, result.Duplicates, "both starts, and the lines of b")
		require.Equal(t, 2, result.Unknown)
		require.Equal(t, "default/a", result.Unanswered[0].Interaction)
	}
}

// Without a worker, each query waits until its timeout.
func TestWithoutAnyWorkerAFeedQueriesFewInteractions(t *testing.T) {
	names, ids := map[string]bool{}, []string{}
	for i := range 1000 {
		id := fmt.Sprintf("i%d", i)
		names[id], ids = true, append(ids, id)
	}
	m := &silent{center: newCenter(), names: names, err: client.ErrNoWorker, rejected: true}
	result, err := feed.Run(t.Context(), m, strings.NewReader(feedOf(ids...)), feed.Options{ContactCenter: "default", Parallel: 4})
	require.NoError(t, err)
	require.Equal(t, 2000, result.Unknown)
	require.Len(t, result.Unanswered, 1000)
	require.LessOrEqual(t, m.queries, 12)
}

func TestAFeedWithoutAccessBreaksOff(t *testing.T) {
	for _, fail := range []error{serviceerror.NewPermissionDenied("not for you", ""), serviceerror.NewNamespaceNotFound("elsewhere")} {
		c := newCenter()
		c.fail = fail
		_, err := feed.Run(t.Context(), c, strings.NewReader(feedOf("a", "b")+`{"interaction":"c","command":"one"}`), feed.Options{ContactCenter: "default"})
		require.ErrorIs(t, err, fail)
	}
}

// busy is a center each of whose interactions is reported as stuck a few times. It counts how often they are asked.
type busy struct {
	*center
	refusals, asked int
	refused         map[client.Name]int
}

func (b *busy) answers(n client.Name) error {
	b.asked++
	if b.refused[n] == b.refusals {
		return nil
	}
	b.refused[n]++
	return fmt.Errorf("%s: %w", n, client.ErrStuck)
}

func (b *busy) Rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error) {
	if err := b.answers(n); err != nil {
		return nil, err
	}
	return b.center.Rejected(ctx, n)
}

func (b *busy) Update(ctx context.Context, n client.Name, command, id string, payload json.RawMessage) (contract.Answer, error) {
	if err := b.answers(n); err != nil {
		return contract.Answer{}, err
	}
	return b.center.Update(ctx, n, command, id, payload)
}

func (b *busy) Commands(ctx context.Context, n client.Name, id string, array json.RawMessage) ([]contract.CommandResult, error) {
	if err := b.answers(n); err != nil {
		return nil, err
	}
	return b.center.Commands(ctx, n, id, array)
}

// Temporal reports a workflow as stuck, too, that gets more signals than one task can handle in time, or whose workers
// were killed. Each of these interactions is busy for more than half of the time that a feed waits in vain.
func TestABusyInteractionIsAskedAgain(t *testing.T) {
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &busy{center: newCenter(), refusals: 160, refused: map[client.Name]int{}}
				result, err := feed.Run(t.Context(), b, strings.NewReader(feedOf("a", "b", "c")), feed.Options{ContactCenter: "default", Parallel: 1, Mode: mode})
				require.NoError(t, err)
				require.Equal(t, 9, result.Accepted)
				require.Empty(t, result.Unanswered)
			})
		})
	}
}

// The sender of signals waits for an interaction that has to handle much.
func TestAnInteractionCatchesUpWithALongFeed(t *testing.T) {
	b := &busy{center: newCenter()}
	var lines strings.Builder
	lines.WriteString(`{"interaction":"a","command":"start","channel":"chat"}` + "\n")
	for i := range 400 {
		fmt.Fprintf(&lines, `{"interaction":"a","command":"c%d","field":%q}`+"\n", i, strings.Repeat("x", 10<<10))
	}
	result, err := feed.Run(t.Context(), b, strings.NewReader(lines.String()), feed.Options{ContactCenter: "default"})
	require.NoError(t, err)
	require.Equal(t, 401, result.Accepted)
	require.Equal(t, 1+3, b.asked, "after each MiB, and at the end")
}

// forgetful is a center whose interactions list as many refused signals as a real one.
type forgetful struct{ *center }

func (f forgetful) Rejected(ctx context.Context, n client.Name) ([]contract.Rejected, error) {
	all, err := f.center.Rejected(ctx, n)
	return all[max(0, len(all)-contract.ShownRejected):], err
}

// A refused line must not count as accepted because the interaction lists only its last refusals.
func TestLinesBeforeTheListedRefusalsAreUnknown(t *testing.T) {
	var lines strings.Builder
	lines.WriteString(`{"interaction":"a","command":"start","channel":"chat"}` + "\n")
	for range 300 {
		lines.WriteString(`{"interaction":"a","command":"bad"}` + "\n")
	}
	lines.WriteString(`{"interaction":"a","command":"one"}` + "\n")
	result, err := feed.Run(t.Context(), forgetful{newCenter()}, strings.NewReader(lines.String()), feed.Options{ContactCenter: "default"})
	require.NoError(t, err)
	require.Equal(t, 2, result.Accepted, "the start and the last line")
	require.Len(t, result.Rejected, contract.ShownRejected)
	require.Equal(t, 200, result.Unknown)
	require.Equal(t, 2, result.Unanswered[0].Lines[0])
	require.Contains(t, result.Unanswered[0].Reason, "send them as updates")
}
