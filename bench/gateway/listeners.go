package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bench"
)

const (
	listenersArgument = "listeners-of-a-measurement"
	// connectsAtOnce is how many clients are opened at once.
	connectsAtOnce = 50
	// quietFor is how long clients listen for what must not come, after all that must.
	quietFor = time.Second
)

// The transports of clients. Those of CometD are named as on the wire.
const (
	bySSE       = "sse"
	byPolling   = "long-polling"
	byWebSocket = "websocket"
)

// listening tells the child with the clients what to open.
type listening struct {
	URL       string
	Transport string
	Clients   int
	// Sharing is how many clients listen to the same agent; 0 makes each listen to all events.
	Sharing int
}

func agentOf(number int) string { return fmt.Sprintf("agent-%d", number) }

// change is a revision of an interaction.
type change struct {
	Interaction string `json:"interaction"`
	Revision    int64  `json:"revision"`
}

// moments are when a command was sent and answered, in Unix nanoseconds.
type moments struct{ Sent, Answered int64 }

// answers are the changes that clients must be notified of, by interaction and revision.
type answers struct {
	At map[string]map[int64]moments
	// Agent is the number of the agent of an interaction.
	Agent map[string]int
	// Clients is how many must get each change, so many Copies each.
	Clients, Copies int
}

// heard is what the clients got. The times are of the first message of a change, from sending the command, and from its answer.
type heard struct {
	Messages, Notifications, Missing, Unknown, Reconnects int
	P50, P99, Most                                        float64
	AnsweredP50, AnsweredP99                              float64
}

// listeners are the clients.
type listeners struct {
	client  http.Client
	sharing int

	mu         sync.Mutex
	arrivals   []arrival
	messages   int
	reconnects int
	bad        error
	arrived    chan struct{} // of capacity 1
}

type arrival struct {
	change
	client int
	at     int64
}

// newListeners returns clients that use a connection each.
func newListeners(in listening) *listeners {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: in.Clients}
	return &listeners{client: http.Client{Transport: transport}, sharing: in.Sharing, arrived: make(chan struct{}, 1)}
}

// runListeners is a child with the clients.
func runListeners(ctx context.Context) error {
	var in listening
	assigned, err := bench.ReadAssignment(&in)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	l := newListeners(in)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer stop()
	opening, _ := errgroup.WithContext(ctx)
	opening.SetLimit(connectsAtOnce)
	for n := range in.Clients {
		opening.Go(func() error {
			read, err := l.open(ctx, in, n)
			if err == nil {
				reading.Go(func() { read(ctx) })
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

// open opens a client and returns what reads until the context ends.
func (l *listeners) open(ctx context.Context, in listening, n int) (read func(context.Context), err error) {
	if in.Transport == bySSE {
		return l.openSSE(ctx, in, n)
	}
	return l.openCometD(ctx, in, n)
}

// note notes a message to a client, now.
func (l *listeners) note(client int, of change, isFirst bool) {
	l.noteAt(client, of, isFirst, time.Now())
}

// noteAt notes a message to a client; isFirst is set for the first one of a change, by topic.
func (l *listeners) noteAt(client int, of change, isFirst bool, at time.Time) {
	l.mu.Lock()
	l.messages++
	if isFirst {
		l.arrivals = append(l.arrivals, arrival{change: of, client: client, at: at.UnixNano()})
	}
	l.mu.Unlock()
	l.wake()
}

// wake lets judge look.
func (l *listeners) wake() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

func (l *listeners) void(err error) {
	defer l.wake()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad == nil { // one explains it: a broken gateway would give 2,000
		l.bad = err
	}
}

func (l *listeners) reconnected() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reconnects++
}

// judge waits until every change has arrived as often as it must, and then for what must not arrive.
func (l *listeners) judge(asked answers) (heard, error) {
	want := 0
	for _, revisions := range asked.At {
		want += len(revisions) * asked.Clients * asked.Copies
	}
	limit := time.NewTimer(bench.SettleLimit)
	defer limit.Stop()
	var quiet <-chan time.Time
	for {
		got, err := l.compare(asked, want)
		if err != nil {
			return got, err
		}
		if got.Missing == 0 && quiet == nil {
			quiet = time.After(quietFor)
		}
		select {
		case <-l.arrived:
		case <-quiet:
			return l.compare(asked, want)
		case <-limit.C:
			return got, nil
		}
	}
}

func (l *listeners) compare(asked answers, want int) (heard, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := heard{Messages: l.messages, Missing: want, Reconnects: l.reconnects}
	if l.bad != nil || len(l.arrivals) < want {
		return got, l.bad
	}
	var took, after []time.Duration
	for _, one := range l.arrivals {
		at, isAsked := asked.At[one.Interaction][one.Revision]
		if !isAsked || l.sharing > 0 && one.client/l.sharing != asked.Agent[one.Interaction] {
			got.Unknown++
			continue
		}
		got.Missing--
		took = append(took, time.Duration(one.at-at.Sent))
		after = append(after, time.Duration(one.at-at.Answered))
	}
	got.Notifications = len(took) / max(asked.Copies, 1)
	quantile := func(of []time.Duration, q float64) float64 { return bench.Milliseconds(bench.Quantile(of, q)) }
	got.P50, got.P99, got.Most = quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1)
	got.AnsweredP50, got.AnsweredP99 = quantile(after, 0.5), quantile(after, 0.99)
	return got, nil
}
