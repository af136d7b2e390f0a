package interaction

import "time"

// meter sums the time during which something was so, over all spans of the
// timeline; overlapping spans (a group offer, a conference) count once.
type meter struct {
	Total time.Duration `json:"total,omitempty"`
	Since time.Time     `json:"since,omitzero"`
}

func (m meter) at(now time.Time, running bool) meter {
	switch {
	case running && m.Since.IsZero():
		m.Since = now
	case !running && !m.Since.IsZero():
		m.Total += now.Sub(m.Since)
		m.Since = time.Time{}
	}
	return m
}

func (m meter) seconds(now time.Time) float64 {
	total := m.Total
	if !m.Since.IsZero() {
		total += max(0, now.Sub(m.Since))
	}
	return total.Seconds()
}

// meters are the running durations. They are kept beside the timeline, so that
// they stay right when its oldest spans go.
type meters struct {
	Queue  meter `json:"queue,omitzero"`
	Offer  meter `json:"offer,omitzero"`
	Handle meter `json:"handle,omitzero"`
	Hold   meter `json:"hold,omitzero"`
	WrapUp meter `json:"wrap_up,omitzero"`
}

// measured are the meters after the command: what runs now, runs from its instant.
func (s *step) measured() meters {
	b := s.processLeg()
	handled := s.first(atCustomer) != nil || s.State == StateHandling
	return meters{
		Queue:  s.Meters.Queue.at(s.Clock, b != nil && b.Segment == SegmentAgentSelecting),
		Offer:  s.Meters.Offer.at(s.Clock, s.first(s.offered) != nil),
		Handle: s.Meters.Handle.at(s.Clock, handled),
		Hold:   s.Meters.Hold.at(s.Clock, s.first(held) != nil),
		WrapUp: s.Meters.WrapUp.at(s.Clock, s.first(wrapping) != nil),
	}
}

func held(l *leg) bool { return l.Held }

// atCustomer: the agent handles, consults or confers.
func atCustomer(l *leg) bool {
	return l.Segment == SegmentHandling || l.Segment == SegmentConsulting || l.Segment == SegmentInConference
}

func (r *record) durations(now time.Time) Durations {
	end := now
	if r.EndedAt != nil {
		end = *r.EndedAt
	}
	return Durations{
		Queue: r.Meters.Queue.seconds(end), Offer: r.Meters.Offer.seconds(end), Handle: r.Meters.Handle.seconds(end),
		Hold: r.Meters.Hold.seconds(end), WrapUp: r.Meters.WrapUp.seconds(end),
		Total: max(0, end.Sub(r.StartedAt)).Seconds(),
	}
}
