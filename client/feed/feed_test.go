package feed_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
)

const text = `{"interaction":"a","command":"start","channel":"chat"}
{"interaction":"b","command":"start","channel":"chat"}
{"interaction":"a","command":"one","event_id":"a1"}
{"interaction":"b","command":"bad","event_id":"b1"}
{"interaction":"a","command":"two","event_id":"a2"}
{"interaction":"a","command":"two","event_id":"a2"}
{"interaction":"b","command":"end","event_id":"b2"}
{"interaction":"b","command":"late","event_id":"b3"}
{"interaction":"ghost","command":"one","event_id":"g1"}
{"interaction":"a","command":"start","channel":"nothing"}
oops
{"interaction":"a","command":"end","event_id":"a3"}
`

func run(t *testing.T, c *center, options feed.Options) feed.Result {
	options.ContactCenter = "default"
	result, err := feed.Run(context.Background(), c, strings.NewReader(text), options)
	require.NoError(t, err)
	return result
}

func TestRunCountsEveryLineOnce(t *testing.T) {
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate, feed.ModeMixed} {
		t.Run(string(mode), func(t *testing.T) {
			c := newCenter()
			result := run(t, c, feed.Options{Mode: mode})
			require.Equal(t, 12, result.Lines)
			require.Equal(t, 3, result.Interactions)
			require.Equal(t, 6, result.Accepted)
			require.Equal(t, 1, result.Duplicates)
			require.Zero(t, result.Unknown)
			var lines []int
			for _, r := range result.Rejected {
				lines = append(lines, r.Line)
				require.NotEmpty(t, r.Reason)
			}
			require.Equal(t, []int{4, 8, 9, 10, 11}, lines)
			require.Equal(t, []string{"one", "two", "end"}, c.interactions[client.Name{ContactCenter: "default", ID: "a"}].commands)
			require.Equal(t, "run of a", result.Runs[client.Name{ContactCenter: "default", ID: "a"}])
		})
	}
}

func TestARepeatedFeedAppliesNothingTwiceAndRejectsTheSameLines(t *testing.T) {
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		t.Run(string(mode), func(t *testing.T) {
			c := newCenter()
			first := run(t, c, feed.Options{Mode: mode})
			again := run(t, c, feed.Options{Mode: mode})
			require.Zero(t, again.Accepted)
			require.Equal(t, first.Accepted+first.Duplicates, again.Duplicates)
			require.Len(t, again.Rejected, len(first.Rejected))
			for i := range again.Rejected {
				require.Equal(t, first.Rejected[i].Line, again.Rejected[i].Line)
			}
			require.Equal(t, []string{"one", "two", "end"}, c.interactions[client.Name{ContactCenter: "default", ID: "a"}].commands)
		})
	}
}

func TestRunKeepsTheOrderWithinAnInteractionAndSendsOthersInParallel(t *testing.T) {
	const interactions, commands = 20, 30
	var b strings.Builder
	for i := range interactions {
		fmt.Fprintf(&b, `{"interaction":"i%d","command":"start","channel":"chat"}`+"\n", i)
	}
	for n := range commands {
		for i := range interactions {
			fmt.Fprintf(&b, `{"interaction":"i%d","command":"c%d"}`+"\n", i, n)
		}
	}
	c := newCenter()
	c.together = 8
	result, err := feed.Run(context.Background(), c, strings.NewReader(b.String()), feed.Options{ContactCenter: "default", Parallel: 8})
	require.NoError(t, err)
	require.Equal(t, interactions*(commands+1), result.Accepted)
	require.Equal(t, 8, c.peak)
	for _, course := range c.interactions {
		for n, command := range course.commands {
			require.Equal(t, fmt.Sprintf("c%d", n), command)
		}
	}
}

func TestAFeedBreaksOffWithoutTemporal(t *testing.T) {
	c := newCenter()
	c.fail = client.ErrUnreachable
	_, err := feed.Run(context.Background(), c, strings.NewReader(text), feed.Options{ContactCenter: "default"})
	require.ErrorIs(t, err, client.ErrUnreachable)
	require.ErrorContains(t, err, "run it again")
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := feed.Run(ctx, newCenter(), strings.NewReader(strings.Repeat(text, 100)), feed.Options{ContactCenter: "default"})
	require.ErrorIs(t, err, context.Canceled)
}

// A start may be repeated in the same feed, or in a later one.
func TestACanceledFeedDoesNotWaitForItsReader(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	defer write.Close()
	go func() {
		if _, err := io.WriteString(write, `{"interaction":"a","command":"start","channel":"chat"}`+"\n"); err != nil {
			t.Error(err)
		}
	}()
	result, err := feed.Run(ctx, newCenter(), read, feed.Options{ContactCenter: "default", Progress: cancel})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, result.Accepted)
}

func TestAStartForAnotherInteractionIsNotSent(t *testing.T) {
	c := newCenter()
	result, err := feed.Run(t.Context(), c, strings.NewReader(`{"interaction":"a","command":"start","channel":"chat","id":"b"}
		{"interaction":"a","command":"one"}`), feed.Options{ContactCenter: "default"})
	require.NoError(t, err)
	require.Len(t, result.Rejected, 2)
	require.Contains(t, result.Rejected[0].Reason, `id "b"`)
	require.NotContains(t, c.messages, "start+1")
}

func TestARepeatedStartIsADuplicate(t *testing.T) {
	c := newCenter()
	for _, want := range []feed.Result{{Accepted: 2, Duplicates: 2}, {Duplicates: 4}} {
		result, err := feed.Run(context.Background(), c, strings.NewReader(`{"interaction":"a","command":"start","channel":"chat"}
{"interaction":"a","command":"start","channel":"chat"}
{"interaction":"a","command":"one","event_id":"a1"}
{"interaction":"a","command":"start","channel":"chat"}
`), feed.Options{ContactCenter: "default"})
		require.NoError(t, err)
		require.Equal(t, want.Accepted, result.Accepted)
		require.Equal(t, want.Duplicates, result.Duplicates)
		require.Empty(t, result.Rejected)
	}
}

// workerless is a center without workers: it stores signals and answers no query.
type workerless struct{ *center }

func (workerless) Rejected(context.Context, client.Name) ([]contract.Rejected, error) {
	return nil, fmt.Errorf("x: %w", client.ErrNoWorker)
}

func TestWithoutWorkersTheOutcomeOfASignalIsUnknown(t *testing.T) {
	result, err := feed.Run(context.Background(), workerless{newCenter()}, strings.NewReader(
		`{"interaction":"a","command":"start","channel":"chat"}`+"\n"+`{"interaction":"a","command":"one"}`,
	), feed.Options{ContactCenter: "default"})
	require.NoError(t, err)
	require.Equal(t, 1, result.Accepted)
	require.Equal(t, 1, result.Unknown)
}

func TestProgressIsCalledForEveryLine(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	run(t, newCenter(), feed.Options{Progress: func() {
		mu.Lock()
		defer mu.Unlock()
		calls++
	}})
	require.Equal(t, 12, calls)
}
