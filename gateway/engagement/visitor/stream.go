package visitor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"segue/gateway/engagement"
	"segue/gateway/limits"
	"segue/gateway/problem"
	"segue/gateway/stopping"
)

// StreamPath is where pages get invitations as server-sent events; it ends with the id of the visit.
const StreamPath = "/server/data/notification/"

const (
	// keepAlive is how often a quiet stream sends a comment.
	keepAlive = 15 * time.Second
	// reconnectAfter is how long a page waits before it reconnects, in milliseconds.
	reconnectAfter = 2000
	// writeWithin is how long a page may take to accept a message.
	writeWithin = 30 * time.Second
	// maxWaiting is how many messages wait for a page: all that are open when it comes, too. One with more
	// reconnects, and gets what is open.
	maxWaiting = 1000
)

// Stream returns the handler of StreamPath + {visitID}.
func (v *Visitors) Stream() http.Handler { return http.HandlerFunc(v.serveStream) }

func (v *Visitors) serveStream(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		engagement.Refuse(w, r, problem.New(problem.MethodNotAllowed, "use GET"))
		return
	}
	query := r.URL.Query()
	for _, name := range []string{"contact_center", "token"} {
		if len(query[name]) > 1 {
			engagement.Refuse(w, r, problem.New(problem.Malformed, name+" is given more than once"))
			return
		}
	}
	of, may, err := v.admit(query.Get("contact_center"), query.Get("token"), r.PathValue("visitID"))
	if err != nil {
		engagement.Refuse(w, r, problemOf(err))
		return
	}
	release, err := v.take(v.options.Caller(r))
	if err != nil {
		engagement.Refuse(w, r, problemOf(err))
		return
	}
	defer release()
	ctx, end := context.WithCancel(r.Context())
	defer end()
	waiting := &queue{changed: make(chan struct{}, 1)}
	p := &page{visit: of, base: v.options.Base(r), may: may, end: end}
	p.deliver = func(message json.RawMessage) {
		if !waiting.put(eventOf(p.eventID(), message)) {
			end()
		}
	}
	p.brings(marksIn(r.Header.Get("Last-Event-ID")))
	if err := v.join(p); err != nil {
		engagement.Refuse(w, r, problemOf(err))
		return
	}
	defer v.leave(p)
	limits.Hold(r.Context()) // a stream is not one of the requests at once
	v.log.DebugContext(ctx, "The stream of a page ended", "error", send(ctx, w, waiting))
}

// eventOf returns a message as an event. JSON as json.Marshal writes it has no line break.
func eventOf(id string, message json.RawMessage) string {
	return "id: " + id + "\ndata: " + string(message) + "\n\n"
}

// queue is what waits for a page.
type queue struct {
	mu      sync.Mutex
	events  []string
	changed chan struct{} // has room for one
}

// put adds an event. It returns false if too many wait.
func (q *queue) put(event string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == maxWaiting {
		return false
	}
	q.events = append(q.events, event)
	select {
	case q.changed <- struct{}{}:
	default:
	}
	return true
}

// take removes all events, and returns them.
func (q *queue) take() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	events := strings.Join(q.events, "")
	q.events = nil
	return events
}

// send writes messages until the page, the token or the process ends.
func send(ctx context.Context, w http.ResponseWriter, waiting *queue) error {
	control := http.NewResponseController(w)
	write := func(text string) error {
		_ = control.SetWriteDeadline(time.Now().Add(writeWithin)) // a writer of a test has none
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		err := control.Flush()
		_ = control.SetWriteDeadline(time.Time{})
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies would hold events back
	w.WriteHeader(http.StatusOK)
	if err := write(fmt.Sprintf("retry: %d\n\n", reconnectAfter)); err != nil {
		return err
	}
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for {
		text := ": the stream is open\n\n"
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-stopping.Done(ctx):
			return nil
		case <-waiting.changed:
			text = waiting.take()
		case <-beat.C:
		}
		if err := write(text); err != nil {
			return err
		}
	}
}
