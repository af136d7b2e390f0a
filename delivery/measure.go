package delivery

import (
	"time"

	"github.com/sony/gobreaker/v2"

	"segue/contract"
	"segue/metrics"
)

// measure records one attempt. A dry run has arrived nowhere, so it has no age.
func (s *Sender) measure(p Policy, r contract.Request, o contract.Outcome, took time.Duration) {
	class := Class(o.Class)
	a := metrics.Attempt{
		Call: p.Call, Class: o.Class, Sent: class.isResponse() || class.isUnanswered(), Took: took,
		Delivered: o.Verdict == contract.VerdictDelivered, At: r.At,
	}
	if class == ClassDryRun {
		a.At = time.Time{}
	}
	s.metrics.Attempted(a)
}

// Standing is what the process knows of a call's receiver, in metrics' words.
func (s *Sender) Standing(p Policy) metrics.Receiver {
	h := s.Health(p)
	return metrics.Receiver{Call: p.Call, Breaker: breakerWords[h.breaker.State()], Inline: p.Idempotent && h.Inline()}
}

var breakerWords = map[gobreaker.State]string{
	gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half_open", gobreaker.StateOpen: "open",
}
