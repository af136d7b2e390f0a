package delivery

import (
	"time"

	"github.com/sony/gobreaker/v2"

	"segue/contract"
)

// Report returns what the process knows of a call's receiver, for people. The caller adds who reports
// and when.
func (s *Sender) Report(p Policy) contract.ReceiverReport {
	report := s.Health(p).report()
	report.Call = p.Call
	return report
}

// report returns state and p95. A receiver is slow if its p95 is above FastEnough, failing if the last
// attempt got no response or one that reports a failure, and its breaker is open until a probe
// succeeds. A receiver of which nothing is known is healthy.
func (h *Health) report() contract.ReceiverReport {
	p95, isSlow := h.latency.recently()
	report := contract.ReceiverReport{State: contract.ReceiverHealthy, P95: int64((p95 + time.Millisecond - 1) / time.Millisecond)}
	switch {
	case h.breaker.State() != gobreaker.StateClosed:
		report.State = contract.ReceiverBreakerOpen
	case h.broken.Load():
		report.State = contract.ReceiverFailing
	case isSlow:
		report.State = contract.ReceiverSlow
	}
	return report
}
