package metrics

import "go.opentelemetry.io/otel/metric"

// visitors are the instruments of a gateway for web engagement.
type visitors struct {
	sent     metric.Int64Counter
	answered metric.Int64Counter

	pages metric.Int64ObservableGauge
	open  metric.Int64ObservableGauge
}

func (v *visitors) make(m *maker) {
	v.sent = m.counter("segue_gateway_visitor_messages_total", "{message}",
		"Messages to pages of visitors: invitation, or canceled for its end.", "kind")
	v.answered = m.counter("segue_gateway_visitor_answers_total", "{request}",
		"Answers of visitors by result, and by outcome: applied, duplicate, refused, or failed if nothing could be stored.", "result", "outcome")
	v.pages = m.gauge("segue_gateway_visitor_pages", "{page}", "Pages of visitors that are connected.")
	v.open = m.gauge("segue_gateway_visitor_invitations", "{invitation}", "Open invitations that name a visit.")
}

// VisitorMessage counts a message to the page of a visitor.
func (i *Instruments) VisitorMessage(kind string) {
	if i != nil {
		i.visitors.sent.Add(background, 1, labels("kind", kind))
	}
}

// VisitorAnswer counts the answer of a visitor to an invitation.
func (i *Instruments) VisitorAnswer(result, outcome string) {
	if i != nil {
		i.visitors.answered.Add(background, 1, labels("result", result, "outcome", outcome))
	}
}
