package interaction

import "time"

// total sums the time during which a condition held, over the whole timeline; overlapping
// spans (a group offer, a conference) count once.
type total struct {
	Total time.Duration `json:"total,omitempty"`
	Since time.Time     `json:"since,omitzero"`
}

func (m total) at(now time.Time, running bool) total {
	switch {
	case running && m.Since.IsZero():
		m.Since = now
	case !running && !m.Since.IsZero():
		m.Total += now.Sub(m.Since)
		m.Since = time.Time{}
	}
	return m
}

func (m total) seconds(now time.Time) float64 {
	total := m.Total
	if !m.Since.IsZero() {
		total += max(0, now.Sub(m.Since))
	}
	return total.Seconds()
}

// totals are the durations so far. They are kept beside the timeline, so that they stay
// right when its oldest entries are dropped.
type totals struct {
	Queue  total `json:"queue,omitzero"`
	Offer  total `json:"offer,omitzero"`
	Handle total `json:"handle,omitzero"`
	Hold   total `json:"hold,omitzero"`
	WrapUp total `json:"wrap_up,omitzero"`
}

// updatedTotals returns the totals after the command: what begins with it runs from its time.
func (s *step) updatedTotals() totals {
	b := s.processLeg()
	handled := s.first(atCustomer) != nil || s.State == StateHandling
	return totals{
		Queue:  s.Totals.Queue.at(s.Clock, b != nil && b.Segment == SegmentAgentSelecting),
		Offer:  s.Totals.Offer.at(s.Clock, s.first(s.offered) != nil),
		Handle: s.Totals.Handle.at(s.Clock, handled),
		Hold:   s.Totals.Hold.at(s.Clock, s.first(held) != nil),
		WrapUp: s.Totals.WrapUp.at(s.Clock, s.first(wrapping) != nil),
	}
}

func held(l *leg) bool { return l.Held }

// atCustomer reports whether the agent handles, consults or confers.
func atCustomer(l *leg) bool {
	return l.Segment == SegmentHandling || l.Segment == SegmentConsulting || l.Segment == SegmentInConference
}

func (r *record) durations(now time.Time) Durations {
	end := now
	if r.EndedAt != nil {
		end = *r.EndedAt
	}
	return Durations{
		Queue: r.Totals.Queue.seconds(end), Offer: r.Totals.Offer.seconds(end), Handle: r.Totals.Handle.seconds(end),
		Hold: r.Totals.Hold.seconds(end), WrapUp: r.Totals.WrapUp.seconds(end),
		Total: max(0, end.Sub(r.StartedAt)).Seconds(),
	}
}
