package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"segue/client"
	"segue/client/feed"
	"segue/contract"
	"segue/gateway/problem"
)

// maxWaiting bounds the results that wait for a client, in bytes: one that reads its answer only after
// sending must not wait forever, and nor must the feed.
const maxWaiting = 16 << 20

// feedResult is the outcome of one line.
type feedResult struct {
	Line          int              `json:"line" doc:"The number of the line, from 1; blank lines count." example:"1"`
	ContactCenter string           `json:"contact_center,omitempty"`
	Interaction   string           `json:"interaction,omitempty" doc:"The id of the interaction; absent if the line cannot be read."`
	EventID       string           `json:"event_id,omitempty" doc:"The idempotency key of the command: the line's, or one from its content."`
	Status        feed.Status      `json:"status" enum:"accepted,duplicate,rejected,unknown" doc:"The outcome of the line; unknown: send it again."`
	Answer        *contract.Answer `json:"answer,omitempty" doc:"The answer of the interaction. Starts have none: the next answer of the interaction has the state after them. Signals have none."`
	Problem       *problem.Problem `json:"problem,omitempty" doc:"Why the line is rejected or unknown."`
}

// feedSummary is the last line of the answer.
type feedSummary struct {
	Summary feedCounts       `json:"summary"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"Why the feed ended early."`
}

type feedCounts struct {
	Lines        int `json:"lines" doc:"The lines that were read and are not blank."`
	Interactions int `json:"interactions"`
	Accepted     int `json:"accepted"`
	Duplicates   int `json:"duplicates"`
	Rejected     int `json:"rejected"`
	Unknown      int `json:"unknown"`
}

// feedResults writes results as they come, in a goroutine of its own: a slow client holds the feed up
// only when many results wait.
type feedResults struct {
	w       http.ResponseWriter
	control *http.ResponseController
	// ctx is that of the feed; it ends when the results cannot be written.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	changed  sync.Cond
	waiting  []byte
	closed   bool
	rejected int
	written  chan struct{} // closed when the writer has ended
}

func newResults(ctx context.Context, w http.ResponseWriter, control *http.ResponseController) *feedResults {
	f := &feedResults{w: w, control: control, written: make(chan struct{})}
	f.changed.L = &f.mu
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	context.AfterFunc(f.ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	})
	header := w.Header()
	header.Set("Content-Type", ndjson)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies would hold results back
	// The headers are set before anybody reads the body, whose reader may set some, too. They are sent
	// with the first result: a client may wait for 100 Continue before it sends the body.
	w.WriteHeader(http.StatusOK)
	f.hurry(0)
	go f.write()
	return f
}

// add takes the outcome of a line. It waits while too much waits for the client.
func (f *feedResults) add(o feed.Outcome) {
	line, err := json.Marshal(resultOf(o))
	if err != nil {
		f.cancel(err) // cannot happen: all of it was JSON
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if o.Status == feed.Rejected {
		f.rejected++
	}
	for len(f.waiting) > maxWaiting && f.ctx.Err() == nil {
		f.changed.Wait()
	}
	f.waiting = append(append(f.waiting, line...), '\n')
	f.changed.Broadcast()
}

// end writes the summary, and returns when all is written.
func (f *feedResults) end(counted feed.Result, why *problem.Problem) {
	f.mu.Lock()
	line, err := json.Marshal(feedSummary{Problem: why, Summary: feedCounts{
		Lines: counted.Lines, Interactions: counted.Interactions, Accepted: counted.Accepted, Duplicates: counted.Duplicates,
		Rejected: f.rejected, Unknown: counted.Unknown,
	}})
	if err == nil {
		f.waiting = append(append(f.waiting, line...), '\n')
	}
	f.closed = true
	f.changed.Broadcast()
	f.mu.Unlock()
	<-f.written
	f.cancel(context.Canceled)
}

// write writes what waits until all is written, or the client does not take it.
func (f *feedResults) write() {
	defer close(f.written)
	for {
		part := f.take()
		if part == nil {
			return
		}
		f.hurry(writeWithin)
		_, err := f.w.Write(part)
		if err == nil {
			err = f.control.Flush()
		}
		f.hurry(0)
		if err != nil {
			f.cancel(err)
			return
		}
	}
}

// hurry bounds how long the client may take; 0 is no bound. HTTP/2 would end an answer whose deadline
// passes while there is nothing to write.
func (f *feedResults) hurry(within time.Duration) {
	at := time.Time{}
	if within > 0 {
		at = time.Now().Add(within)
	}
	_ = f.control.SetWriteDeadline(at) // a writer of a test has none
}

// resultPart is how much is written at once: each part has a deadline.
const resultPart = 256 << 10

// take returns what waits; it waits for the first result. It returns nil after the last one.
func (f *feedResults) take() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.waiting) == 0 && !f.closed {
		f.changed.Wait()
	}
	part := f.waiting[:min(len(f.waiting), resultPart)]
	if f.waiting = f.waiting[len(part):]; len(f.waiting) == 0 {
		f.waiting = nil
	}
	f.changed.Broadcast()
	if len(part) == 0 {
		return nil
	}
	return part
}

// resultOf returns the outcome of a line as clients see it.
func resultOf(o feed.Outcome) feedResult {
	r := feedResult{
		Line: o.Line.Number, ContactCenter: o.Line.Name.ContactCenter, Interaction: o.Line.Name.ID, EventID: o.Line.EventID, Status: o.Status, Problem: problemOf(o),
	}
	r.Answer = o.Answer
	return r
}

// problemOf returns why a line is rejected or unknown.
func problemOf(o feed.Outcome) *problem.Problem {
	if o.Err == nil {
		return nil
	}
	if o.Status == feed.Unknown {
		return problem.New(problem.Unavailable, unknownDetail(o.Err))
	}
	var bad *feed.BadLineError
	var signal *feed.RefusedSignalError
	switch {
	case errors.As(o.Err, &bad):
		return problem.New(kindOfLine(bad), bad.Reason)
	case errors.As(o.Err, &signal):
		p := problem.New(problem.IllegalCommand, signal.Reason)
		p.Command = o.Line.Command
		return p
	}
	p := problem.Of(o.Err)
	if p.Type == problem.Internal { // a start whose id or contact center is another's
		p = problem.New(problem.InvalidPayload, o.Err.Error())
	}
	if p.Command == "" {
		p.Command = o.Line.Command
	}
	return p
}

// kindOfLine returns the type of the problem of a line that cannot be sent, as of a single command.
func kindOfLine(bad *feed.BadLineError) string {
	switch {
	case errors.Is(bad, feed.ErrLineTooLarge):
		return problem.TooLarge
	case errors.Is(bad, feed.ErrNoContactCenter):
		return problem.ContactCenterRequired
	}
	return problem.Malformed
}

// unknownDetail says what to do about a line whose outcome is unknown. Errors of Temporal have addresses.
func unknownDetail(err error) string {
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return "Temporal does not answer; send the line again"
	case errors.Is(err, client.ErrNoWorker):
		return "no worker answered; send the line again"
	case errors.Is(err, client.ErrStuck):
		return "the interaction cannot be processed at present; send the line again later"
	}
	return "the outcome is not known; send the line again"
}
