package contract_test

import (
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"segue/contract"
	"segue/interaction"
)

// interacted returns an inbound call that an agent handles, and the effect of the last command.
func interacted(b *testing.B) (*interaction.Interaction, interaction.Effect) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	start, err := interaction.DecodeStart([]byte(`{"id":"i-1","contact_center":"acme","channel":"inbound","queue":"sales",
		"ani":"+4930123456","dnis":"+4989654321","customer":{"id":"c-1","name":"Ada Lovelace"},
		"user_data":{"tier":"gold","score":7.5,"order":{"id":"o-17","items":3}}}`))
	if err != nil {
		b.Fatal(err)
	}
	i, effect, err := interaction.Open(start, at)
	for _, c := range []struct{ name, payload string }{
		{"place_in_queue", `{"event_id":"0190-1","queue":"sales"}`},
		{"offer", `{"event_id":"0190-2","agent":{"id":"a1","name":"Ann","team":"red"}}`},
		{"accept", `{"event_id":"0190-3","agent":{"id":"a1"}}`},
	} {
		var command interaction.Command
		if err == nil {
			command, err = interaction.Decode(c.name, []byte(c.payload))
		}
		if err == nil {
			at = at.Add(time.Second)
			effect, err = i.Apply(command, at)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	return i, effect
}

// exchanged are what a worker and Temporal exchange for one command: the answer of its update, the result of Dispatch if the
// request was delivered inline or is left to the workflow, the input and result of Attempt; and the state when it ends.
func exchanged(b *testing.B) map[string]any {
	i, effect := interacted(b)
	event := &effect.Turn.Events[len(effect.Turn.Events)-1]
	owner := contract.Owner{ContactCenter: "acme", Interaction: "i-1", FirstRunID: "0190-7f3a"}
	request := contract.Request{
		ID: contract.DeliveryID(owner, event, "crm"), Call: "crm", Moment: string(event.Moment), Sequence: event.Sequence, Method: "POST",
		URL: "https://crm.example.com/calls/i-1", At: event.At, Version: "9f86d081884c",
		Headers: []contract.Header{
			{Name: "Content-Type", Value: "application/json"}, {Name: "User-Agent", Value: contract.UserAgent},
			{Name: "webhook-id", Value: "msg_1"}, {Name: "Idempotency-Key", Value: "msg_1"},
		},
		Body: `{"interaction":"i-1","command":"accept","channel":"inbound","agent":{"id":"a1","name":"Ann"},"tier":"gold"}`,
	}
	outcome := contract.Outcome{ID: request.ID, Verdict: contract.VerdictDelivered, Code: 204, Class: "ok", MS: 2, At: event.At}
	delivery := contract.Delivery{ID: request.ID, Call: "crm", Moment: request.Moment, Sequence: event.Sequence}
	delivered, waiting := delivery, delivery
	delivered.Status, delivered.Outcome = contract.StatusDelivered, &outcome
	waiting.Status, waiting.Request = contract.StatusWaiting, &request
	result := func(d contract.Delivery) *contract.DispatchResult {
		return &contract.DispatchResult{Version: request.Version, Through: event.Sequence, Deliveries: []contract.Delivery{d}, Sent: d.Outcome != nil}
	}
	return map[string]any{
		"answer":             &contract.Answer{State: i.Facts().State, Sequence: i.Sequence(), Capabilities: i.Capabilities()},
		"dispatch delivered": result(delivered),
		"dispatch waiting":   result(waiting),
		"attempt input":      &contract.AttemptInput{Owner: owner, Call: "crm", Requests: []contract.Request{request}, Number: 1},
		"attempt result":     &contract.AttemptResult{Outcomes: []contract.Outcome{outcome}},
		"state":              &contract.State{Status: i.Status(), Runs: 1},
	}
}

// order is the order of the benchmarks.
var order = []string{"answer", "dispatch delivered", "dispatch waiting", "attempt input", "attempt result", "state"}

// BenchmarkEncode encodes payloads as a worker does.
func BenchmarkEncode(b *testing.B) {
	data, values := converter.GetDefaultDataConverter(), exchanged(b)
	for _, name := range order {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := data.ToPayloads(values[name]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecode decodes what the workflow gets, in a replay as well.
func BenchmarkDecode(b *testing.B) {
	data, values := converter.GetDefaultDataConverter(), exchanged(b)
	for _, c := range []struct {
		name string
		into func(*commonpb.Payloads) error
	}{
		{"dispatch delivered", func(p *commonpb.Payloads) error { var r contract.DispatchResult; return data.FromPayloads(p, &r) }},
		{"dispatch waiting", func(p *commonpb.Payloads) error { var r contract.DispatchResult; return data.FromPayloads(p, &r) }},
		{"attempt result", func(p *commonpb.Payloads) error { var r contract.AttemptResult; return data.FromPayloads(p, &r) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			payloads, err := data.ToPayloads(values[c.name])
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.into(payloads); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIdentity derives the id of a delivery.
func BenchmarkIdentity(b *testing.B) {
	_, effect := interacted(b)
	owner := contract.Owner{ContactCenter: "acme", Interaction: "i-1", FirstRunID: "0190-7f3a"}
	b.ReportAllocs()
	for b.Loop() {
		if contract.DeliveryID(owner, &effect.Turn.Events[0], "crm") == "" {
			b.Fatal("no id")
		}
	}
}

// BenchmarkSource encodes what a request was rendered from, for a lane.
func BenchmarkSource(b *testing.B) {
	_, effect := interacted(b)
	b.ReportAllocs()
	for b.Loop() {
		if contract.SourceOf(&effect.Turn.View, &effect.Turn.Events[0]) == nil {
			b.Fatal("no source")
		}
	}
}
