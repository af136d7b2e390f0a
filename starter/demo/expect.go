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

// Expect works out every delivery that must arrive at the receivers: each event of
// the plan × each call that a trigger of the configuration fires for it. runs are
// the first runs of the interactions, which are part of a delivery's identity. What
// is refused for good makes an event of its own, "fault", which no plan can place.
func (p *Plan) Expect(set *config.Set, receivers *Receivers, runs map[client.Name]string) ([]Expected, error) {
	var expected []Expected
	for _, course := range p.Courses {
		run, ok := runs[course.Name]
		if !ok {
			return nil, fmt.Errorf("interaction %s was not started by this demo", course.Name)
		}
		e := expectation{
			set: set, receivers: receivers,
			owner: contract.Owner{ContactCenter: course.Name.ContactCenter, Interaction: course.Name.ID, FirstRunID: run},
		}
		for _, turn := range course.Turns {
			refused := e.refused
			for i := range turn.Events {
				due, err := e.of(&turn.View, &turn.Events[i], refused)
				if err != nil {
					return nil, err
				}
				expected = append(expected, due...)
			}
		}
	}
	return expected, nil
}

// expectation is for the deliveries of one interaction.
type expectation struct {
	set       *config.Set
	receivers *Receivers
	owner     contract.Owner
	refused   int // how many were refused so far
}

// of is the deliveries of one event, before which up to that many faults may come.
func (e *expectation) of(view *interaction.View, event *interaction.Event, faults int) ([]Expected, error) {
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
		last, behind := &one, *event
		for range faults {
			behind.Sequence++
			later, err := e.delivery(call, view, &behind)
			if err != nil {
				return nil, err
			}
			last.Later, last = &later, &later
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

// statusFor is the answer that the receiver must give in the end: the engagement
// backend turns some visitors away.
func statusFor(event *interaction.Event) int {
	parameter := map[interaction.Moment]string{interaction.MomentEngage: "ixnProfile", interaction.MomentNoEngage: "cancelData"}[event.Moment]
	if data, ok := event.Fields[parameter].(map[string]any); ok && Refuses(data) {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// endpointOf turns a rendered URL into the receiver and path that it means.
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
	return "", fmt.Errorf("%s is none of the demo's receivers", target.Host)
}
