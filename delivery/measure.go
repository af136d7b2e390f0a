package delivery

import (
	"time"

	"github.com/sony/gobreaker/v2"

	"segue/contract"
	"segue/metrics"
)

// measure records one attempt. A dry run is not sent, so it has no age.
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

// ReceiverState returns what the process knows of a call's receiver, for the metrics.
func (s *Sender) ReceiverState(p Policy) metrics.Receiver {
	h := s.Health(p)
	return metrics.Receiver{Call: p.Call, Breaker: breakerStates[h.breaker.State()], Inline: p.Idempotent && h.Inline()}
}

var breakerStates = map[gobreaker.State]string{
	gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half_open", gobreaker.StateOpen: "open",
}
