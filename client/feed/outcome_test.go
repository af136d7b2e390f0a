package feed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/feed"
)

// outcomes are what a feed reports.
type outcomes struct {
	mu  sync.Mutex
	all []feed.Outcome
}

func (o *outcomes) add(one feed.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, one)
}

// requireInOrder requires that each line has one outcome, in order for each interaction.
func (o *outcomes) requireInOrder(t *testing.T, lines int) {
	t.Helper()
	require.Len(t, o.all, lines)
	last := map[client.Name]int{}
	for _, one := range o.all {
		require.Greater(t, one.Line.Number, last[one.Line.Name], "%v", one.Line.Name)
		last[one.Line.Name] = one.Line.Number
		require.Nil(t, one.Line.Payload)
		require.Equal(t, one.Status == feed.Rejected || one.Status == feed.Unknown, one.Err != nil)
	}
}

func (o *outcomes) of(status feed.Status) (numbers []int) {
	for _, one := range o.all {
		if one.Status == status {
			numbers = append(numbers, one.Line.Number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// mixedFeed is a feed with each outcome.
func mixedFeed() string {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `{"interaction":"i%d","command":"start","channel":"chat"}`+"\n", i%7)
		fmt.Fprintf(&b, `{"interaction":"i%d","command":"bad","event_id":"b%d"}`+"\n", i%7, i)
		fmt.Fprintf(&b, `{"interaction":"i%d","command":"one","event_id":"o%d"}`+"\n", i%7, i/2)
		fmt.Fprintf(&b, `{"interaction":"i%d","command":"two"}`+"\n"+`nonsense`+"\n", i%7)
	}
	return b.String() + `{"interaction":"none","command":"two"}` + "\n" + `{"interaction":"i1","command":"end"}` + "\n" + `{"interaction":"i1","command":"two"}`
}

func TestTheOutcomesOfLinesAreThoseOfTheResult(t *testing.T) {
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate, feed.ModeMixed} {
		t.Run(string(mode), func(t *testing.T) {
			listed, reported := newCenter(), newCenter()
			for range 2 {
				options := feed.Options{ContactCenter: "default", Mode: mode, Parallel: 3}
				want, err := feed.Run(t.Context(), listed, strings.NewReader(mixedFeed()), options)
				require.NoError(t, err)
				var got outcomes
				options.Finished = got.add
				result, err := feed.Run(t.Context(), reported, strings.NewReader(mixedFeed()), options)
				require.NoError(t, err)
				bad := slices.DeleteFunc(slices.Clone(got.all), func(o feed.Outcome) bool { return o.Line.Name.ID != "" })
				require.Len(t, bad, 20)
				good := outcomes{all: slices.DeleteFunc(slices.Clone(got.all), func(o feed.Outcome) bool { return o.Line.Name.ID == "" })}
				good.requireInOrder(t, want.Lines-20)

				require.Equal(t, want.Lines, result.Lines)
				require.Equal(t, want.Interactions, result.Interactions)
				require.Equal(t, want.Accepted, result.Accepted)
				require.Len(t, got.of(feed.Accepted), want.Accepted)
				require.Equal(t, want.Duplicates, result.Duplicates)
				require.Len(t, got.of(feed.Duplicate), want.Duplicates)
				require.Empty(t, got.of(feed.Unknown))
				var rejected []int
				for _, r := range want.Rejected {
					rejected = append(rejected, r.Line)
				}
				require.Equal(t, rejected, got.of(feed.Rejected))
				require.Empty(t, result.Rejected)
			}
		})
	}
}

func TestAfterAnOutageEveryLineIsUnknownAndNothingIsSent(t *testing.T) {
	gone := fmt.Errorf("x: %w", client.ErrUnreachable)
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		for after := range 12 {
			t.Run(fmt.Sprint(mode, after), func(t *testing.T) {
				c := newCenter()
				c.fail, c.failAfter = gone, after
				var got outcomes
				result, err := feed.Run(t.Context(), c, strings.NewReader(mixedFeed()), feed.Options{ContactCenter: "default", Mode: mode, Parallel: 1, Finished: got.add})
				require.ErrorIs(t, err, client.ErrUnreachable)
				require.Len(t, got.all, 103)
				require.Equal(t, 103, result.Lines)
				require.Len(t, got.of(feed.Unknown), result.Unknown)
				require.NotZero(t, result.Unknown)
				require.LessOrEqual(t, len(c.messages), after+1, "nothing is sent after the first failure")
				for _, one := range got.all {
					if one.Status == feed.Unknown {
						require.ErrorIs(t, one.Err, client.ErrUnreachable)
					}
				}
				good := outcomes{all: slices.DeleteFunc(got.all, func(o feed.Outcome) bool { return o.Line.Name.ID == "" })}
				good.requireInOrder(t, 83)
			})
		}
	}
}

func TestWithoutAWorkerUpdatesAreNotSentForEveryInteraction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, ids := map[string]bool{}, []string{}
		for i := range 100 {
			names[fmt.Sprint("i", i)], ids = true, append(ids, fmt.Sprint("i", i))
		}
		m := &silent{center: newCenter(), names: names, err: client.ErrNoWorker, update: true, rejected: true}
		var got outcomes
		_, err := feed.Run(t.Context(), m, strings.NewReader(feedOf(ids...)), feed.Options{ContactCenter: "default", Mode: feed.ModeUpdate, Parallel: 1, Finished: got.add})
		require.ErrorIs(t, err, client.ErrNoWorker)
		got.requireInOrder(t, 300)
		require.GreaterOrEqual(t, len(got.of(feed.Unknown)), 200)
	})
}

func TestPreparedLines(t *testing.T) {
	denied := errors.New("not yours")
	c := newCenter()
	var got outcomes
	result, err := feed.Run(t.Context(), c, strings.NewReader(feedOf("a", "b")), feed.Options{
		ContactCenter: "default", Finished: got.add,
		Prepare: func(line *feed.Line) error {
			if line.Command == "one" || line.Name.ID == "b" && line.Command == feed.CommandStart {
				return denied
			}
			return nil
		},
	})
	require.NoError(t, err)
	got.requireInOrder(t, 6)
	require.Equal(t, []int{2, 3, 4, 6}, got.of(feed.Rejected))
	require.Equal(t, 2, result.Accepted)
	require.Equal(t, []string{"two"}, c.interactions[client.Name{ContactCenter: "default", ID: "a"}].commands)
}

func TestACanceledFeedReportsNothingMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var got outcomes
	_, err := feed.Run(ctx, newCenter(), strings.NewReader(feedOf("a", "b")), feed.Options{ContactCenter: "default", Mode: feed.ModeUpdate, Parallel: 1, Finished: func(o feed.Outcome) {
		got.add(o)
		cancel()
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, len(got.all), 6)
}
