package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
)

const (
	listenersArgument = "listeners-of-a-measurement"
	// connectsAtOnce is how many streams are opened at once.
	connectsAtOnce = 50
)

// listening tells the child with the clients of streams what to open.
type listening struct {
	URL     string
	Clients int
	// Own makes each client listen to the events of its own agent; without it, to all events.
	Own bool
}

func agentOf(client int) string { return fmt.Sprintf("agent-%d", client) }

// change is a revision of an interaction.
type change struct {
	Interaction string `json:"interaction"`
	Revision    int64  `json:"revision"`
}

// answers are what was answered, and when, in Unix nanoseconds. Each must have reached so many clients.
type answers struct {
	At      map[string]map[int64]int64
	Clients int
}

// heard is what the clients got. The times are from the answer of a command to the first event of its change.
type heard struct {
	Events, Missing, Unknown int
	P50, P99, Most           float64
}

// listeners are the clients of streams.
type listeners struct {
	client http.Client

	mu       sync.Mutex
	arrivals []arrival
	events   int
	bad      error
	arrived  chan struct{} // of capacity 1
}

type arrival struct {
	change
	at int64
}

// runListeners is a child with the clients.
func runListeners(ctx context.Context) error {
	var in listening
	assigned, err := bench.ReadAssignment(&in)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	l := &listeners{client: http.Client{Transport: &http.Transport{DisableCompression: true}}, arrived: make(chan struct{}, 1)}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer stop()
	opening, _ := errgroup.WithContext(ctx)
	opening.SetLimit(connectsAtOnce)
	for n := range in.Clients {
		opening.Go(func() error {
			response, err := l.open(ctx, in, n)
			if err == nil {
				reading.Go(func() { l.read(ctx, response) })
			}
			return err
		})
	}
	if err := opening.Wait(); err != nil {
		return err
	}
	fmt.Println("listening")
	var asked answers
	if err := assigned.Question(&asked); err != nil {
		return err
	}
	got, err := l.judge(asked)
	if err != nil {
		return err
	}
	return errors.Join(assigned.Answer(got), assigned.AwaitEnd())
}

func (l *listeners) open(ctx context.Context, in listening, n int) (*http.Response, error) {
	query := url.Values{"contact_center": {contactCenter}}
	if in.Own {
		query.Set("agent", agentOf(n))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, in.URL+"/v1/events?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := l.client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("GET /v1/events is answered with %s", response.Status), response.Body.Close())
	}
	return response, err
}

// read notes the first event of each change. A stream must not repeat an event, lose one, or end.
func (l *listeners) read(ctx context.Context, response *http.Response) {
	defer response.Body.Close()
	var before change
	var id, last []byte
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if ctx.Err() == nil {
				l.void(fmt.Errorf("a stream has ended: %w", err))
			}
			return
		}
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("event: resync")), bytes.HasPrefix(line, []byte("event: gap")):
			l.void(fmt.Errorf("a stream had %q", line))
		case bytes.HasPrefix(line, []byte("id: ")):
			id = line
		case bytes.HasPrefix(line, []byte("data: ")):
			if bytes.Equal(id, last) {
				l.void(fmt.Errorf("a stream repeated the event %q", id))
			}
			last = id
			before = l.note(line[len("data: "):], before)
		}
	}
}

// note notes an event and returns its change.
func (l *listeners) note(data []byte, before change) change {
	one := arrival{at: time.Now().UnixNano()}
	if err := json.Unmarshal(data, &one.change); err != nil {
		l.void(err)
		return before
	}
	l.mu.Lock()
	l.events++
	if one.change != before {
		l.arrivals = append(l.arrivals, one)
	}
	l.mu.Unlock()
	select {
	case l.arrived <- struct{}{}:
	default:
	}
	return one.change
}

func (l *listeners) void(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bad = errors.Join(l.bad, err)
}

// judge waits until every change has arrived as often as it must.
func (l *listeners) judge(asked answers) (heard, error) {
	want := 0
	for _, revisions := range asked.At {
		want += len(revisions) * asked.Clients
	}
	limit := time.NewTimer(bench.SettleLimit)
	defer limit.Stop()
	for {
		got, err := l.compare(asked, want)
		if got.Missing == 0 || err != nil {
			return got, err
		}
		select {
		case <-l.arrived:
		case <-limit.C:
			return got, nil
		}
	}
}

func (l *listeners) compare(asked answers, want int) (heard, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := heard{Events: l.events, Missing: want}
	if l.bad != nil || len(l.arrivals) < want {
		return got, l.bad
	}
	var took []time.Duration
	for _, one := range l.arrivals {
		answered, known := asked.At[one.Interaction][one.Revision]
		if !known {
			got.Unknown++ // a change by a timer, or one of the start
			continue
		}
		got.Missing--
		took = append(took, time.Duration(one.at-answered))
	}
	got.P50, got.P99 = bench.Milliseconds(bench.Quantile(took, 0.5)), bench.Milliseconds(bench.Quantile(took, 0.99))
	got.Most = bench.Milliseconds(bench.Quantile(took, 1))
	return got, nil
}
