package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
)

// center is a contact center in memory. It refuses the command "bad", completes at "end", and
// deduplicates event ids as Segue does.
type center struct {
	mu           sync.Mutex
	interactions map[client.Name]*course
	sent         int
	busy, peak   int
	fail         error
	delay        time.Duration
}

type course struct {
	started, ended bool
	commands       []string
	applied        map[string]bool
	received       map[string]bool
	rejected       []contract.Rejected
}

func newCenter() *center { return &center{interactions: map[client.Name]*course{}} }

func (c *center) enter() {
	c.mu.Lock()
	c.busy++
	c.peak = max(c.peak, c.busy)
	c.mu.Unlock()
	time.Sleep(c.delay)
	c.mu.Lock()
}

func (c *center) leave() { c.busy--; c.mu.Unlock() }

func (c *center) Start(_ context.Context, n client.Name, _ json.RawMessage, _ bool) (string, error) {
	c.enter()
	defer c.leave()
	if c.interactions[n] != nil {
		return "", &client.ExistsError{Name: n}
	}
	c.interactions[n] = &course{started: true, applied: map[string]bool{}, received: map[string]bool{}}
	return "run of " + n.ID, nil
}

func (c *center) receive(n client.Name, payload json.RawMessage) (*course, string, error) {
	c.sent++
	i := c.interactions[n]
	switch {
	case c.fail != nil:
		return nil, "", c.fail
	case i == nil:
		return nil, "", fmt.Errorf("%s: %w", n, client.ErrNotFound)
	case i.ended:
		return nil, "", fmt.Errorf("%s: %w", n, client.ErrCompleted)
	}
	var envelope struct {
		EventID string `json:"event_id"`
	}
	_ = json.Unmarshal(payload, &envelope) // an invalid one counts as missing
	if envelope.EventID != "" {
		i.received[envelope.EventID] = true
	}
	return i, envelope.EventID, nil
}

func (i *course) apply(command, eventID string) (duplicate bool, err error) {
	switch {
	case command == "bad":
		return false, &client.RefusedError{Type: "IllegalCommand", Message: "bad is not legal"}
	case eventID != "" && i.applied[eventID]:
		return true, nil
	}
	i.applied[eventID] = true
	i.commands = append(i.commands, command)
	i.ended = command == "end"
	return false, nil
}

func (c *center) Signal(_ context.Context, n client.Name, command string, payload json.RawMessage) error {
	c.enter()
	defer c.leave()
	i, id, err := c.receive(n, payload)
	if err != nil {
		return err
	}
	if _, refused := i.apply(command, id); refused != nil {
		i.rejected = append(i.rejected, contract.Rejected{Command: command, EventID: id, Reason: refused.Error()})
	}
	return nil
}

func (c *center) Update(_ context.Context, n client.Name, command, id string, payload json.RawMessage) (contract.Answer, error) {
	c.enter()
	defer c.leave()
	i, _, err := c.receive(n, payload)
	if err != nil {
		return contract.Answer{}, err
	}
	_, err = i.apply(command, id)
	if err != nil {
		delete(i.received, id) // a refused update leaves no history
	}
	return contract.Answer{}, err
}

func (c *center) Received(_ context.Context, n client.Name) (map[string]bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interactions[n].received, nil
}

func (c *center) Rejected(_ context.Context, n client.Name) ([]contract.Rejected, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return nil, c.fail
	}
	return c.interactions[n].rejected, nil
}

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
	c.delay = time.Millisecond
	result, err := feed.Run(context.Background(), c, strings.NewReader(b.String()), feed.Options{ContactCenter: "default", Parallel: 8})
	require.NoError(t, err)
	require.Equal(t, interactions*(commands+1), result.Accepted)
	require.Greater(t, c.peak, 1)
	require.LessOrEqual(t, c.peak, 8)
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
