package feed

import (
	"sync"

	"segue/contract"
)

// Status is the outcome of a line.
type Status string

// The outcomes, as Result counts them.
const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate"
	Rejected  Status = "rejected"
	Unknown   Status = "unknown"
)

// Outcome is the outcome of one line.
type Outcome struct {
	// Line has no payload. A line that cannot be read has its number alone.
	Line   Line
	Status Status
	// Answer is the answer to an update; nil for signals and starts, which have none.
	Answer *contract.Answer
	// Err is why a line is rejected or unknown.
	Err error
}

// BadLineError is why a line cannot be sent.
type BadLineError struct {
	Reason string
	Err    error // see BadLine
}

// Error returns the reason.
func (e *BadLineError) Error() string { return e.Reason }

// Unwrap returns the error of the line.
func (e *BadLineError) Unwrap() error { return e.Err }

// RefusedSignalError is why an interaction refused a signal, in its words.
type RefusedSignalError struct{ Reason string }

// Error returns the reason.
func (e *RefusedSignalError) Error() string { return e.Reason }

// outcome is the outcome of a line, which is not known yet or waits for those before.
type outcome struct {
	Outcome
	known bool
}

// expect notes the lines of a group, whose outcomes are reported in this order.
func (w *worker) expect(p *progress, g group) {
	if w.options.Finished == nil {
		return
	}
	for line := range g.lines() {
		line.Payload = nil
		o := &outcome{Outcome: Outcome{Line: line}}
		p.outcomes = append(p.outcomes, o)
		p.open[line.Number] = o
	}
}

// finish counts a line whose outcome is known.
func (w *worker) finish(p *progress, line Line, status Status, answer *contract.Answer, err error) {
	if w.options.Finished == nil {
		w.list(p, line, status, err)
		return
	}
	switch status {
	case Accepted:
		w.result.Accepted++
	case Duplicate:
		w.result.Duplicates++
	case Unknown:
		w.result.Unknown++
	}
	if o := p.open[line.Number]; o != nil {
		delete(p.open, line.Number)
		o.Status, o.Answer, o.Err, o.known = status, answer, err, true
	}
	p.report(w.options.Finished)
}

// list counts a line in the result, which lists those that are rejected and unknown.
func (w *worker) list(p *progress, line Line, status Status, err error) {
	switch status {
	case Accepted:
		w.result.Accepted++
	case Duplicate:
		w.result.Duplicates++
	case Rejected:
		w.result.reject(line, err.Error())
	case Unknown:
		p.unknown = append(p.unknown, line.Number)
	}
}

// report passes on the outcomes that are known, in the order of the lines.
func (p *progress) report(finished func(Outcome)) {
	for len(p.outcomes) > 0 && p.outcomes[0].known {
		finished(p.outcomes[0].Outcome)
		p.outcomes[0] = nil
		p.outcomes = p.outcomes[1:]
	}
}

// abandon makes every line of an interaction unknown whose outcome is open.
func (w *worker) abandon(p *progress, why error) {
	for _, o := range p.outcomes {
		if !o.known {
			w.result.Unknown++
			o.Status, o.Err, o.known = Unknown, why, true
		}
	}
	clear(p.open)
	p.sent, p.unanswered = nil, why
	p.report(w.options.Finished)
}

// shared is what the workers of a feed know together.
type shared struct {
	mu       sync.Mutex
	answered bool
	gone     error
}

// hasAnswered reports whether any interaction of the feed has answered.
func (s *shared) hasAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered
}

func (s *shared) noteAnswer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = true
}

// outage returns why nothing more is sent; nil while lines are sent.
func (s *shared) outage() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

func (s *shared) noteOutage(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = err
	}
}
