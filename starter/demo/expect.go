package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"segue/client"
	"segue/config"
	"segue/contract"
	"segue/interaction"
)

// Expect returns every delivery that must arrive at the receivers: one for each event of the plan and each call that a
// trigger of the configuration fires for the event. runs are the first runs of the interactions, which are part of the
// identity of a delivery. It returns an error for an interaction without a run and for a call that cannot be rendered.
//
// A permanently refused delivery causes an event "fault". The plan cannot know the sequence number of this event, because
// it depends on when the receiver answers.
func (p *Plan) Expect(set *config.Set, receivers *Receivers, runs map[client.Name]string) ([]Expected, error) {
	var expected []Expected
	for _, planned := range p.Interactions {
		run, ok := runs[planned.Name]
		if !ok {
			return nil, fmt.Errorf("interaction %s was not started by this demo", planned.Name)
		}
		e := expectation{
			set: set, receivers: receivers,
			owner: contract.Owner{ContactCenter: planned.Name.ContactCenter, Interaction: planned.Name.ID, FirstRunID: run},
		}
		for _, turn := range planned.Turns {
			refused := e.refused
			for i := range turn.Events {
				due, err := e.deliveries(&turn.View, &turn.Events[i], refused)
				if err != nil {
					return nil, err
				}
				expected = append(expected, due...)
			}
		}
	}
	return expected, nil
}

// expectation computes the deliveries of one interaction.
type expectation struct {
	set       *config.Set
	receivers *Receivers
	owner     contract.Owner
	refused   int // deliveries refused so far
}

// deliveries returns the deliveries of one event. Each has an alternative for every fault that may precede the event.
func (e *expectation) deliveries(view *interaction.View, event *interaction.Event, faults int) ([]Expected, error) {
	firings, failed := e.set.Triggers.Match(view, event)
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	var due []Expected
	for _, firing := range firings {
		call, ok := e.set.Call(firing.Call)
		if !ok || firing.DryRun || call.Policy.DryRun {
			continue
		}
		one, err := e.delivery(call, view, event)
		if err != nil {
			return nil, err
		}
		last, shifted := &one, *event
		for range faults {
			shifted.Sequence++
			alternative, err := e.delivery(call, view, &shifted)
			if err != nil {
				return nil, err
			}
			last.Alternative, last = &alternative, &alternative
		}
		if one.Status == http.StatusBadRequest {
			e.refused++
		}
		due = append(due, one)
	}
	return due, nil
}

func (e *expectation) delivery(call *config.Call, view *interaction.View, event *interaction.Event) (Expected, error) {
	id := contract.DeliveryID(e.owner, event, call.Name)
	request, err := call.Template.Render(id, view, event)
	if err != nil {
		return Expected{}, fmt.Errorf("call %s at event %d of %s cannot be rendered: %w", call.Name, event.Sequence, e.owner.Interaction, err)
	}
	endpoint, err := e.receivers.endpointOf(request.URL)
	if err != nil {
		return Expected{}, err
	}
	return Expected{
		ID: id, Endpoint: endpoint, Method: request.Method, Body: DigestOf([]byte(request.Body)),
		Status: statusFor(event), Lane: e.owner.Interaction + " × " + call.Name, Sequence: event.Sequence,
	}, nil
}

// statusFor returns the final status that the receiver must answer: the engagement backend refuses some visitors.
func statusFor(event *interaction.Event) int {
	parameter := map[interaction.Moment]string{interaction.MomentEngage: "ixnProfile", interaction.MomentNoEngage: "cancelData"}[event.Moment]
	if data, ok := event.Fields[parameter].(map[string]any); ok && Refuses(data) {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// endpointOf returns the receiver and path of a rendered URL.
func (r *Receivers) endpointOf(rendered string) (string, error) {
	target, err := url.Parse(rendered)
	if err != nil {
		return "", err
	}
	for name, base := range r.urls {
		if base == target.Scheme+"://"+target.Host {
			return name + " " + target.RequestURI(), nil
		}
	}
	return "", fmt.Errorf("%s is not a receiver of the demo", target.Host)
}
