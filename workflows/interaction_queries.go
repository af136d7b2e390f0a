package workflows

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// registerQueries registers the queries of an interaction.
func (r *run) registerQueries(ctx workflow.Context) error {
	queries := []struct {
		name, description string
		handler           any
	}{
		{contract.QueryState, "state, participants, capabilities and data", func(argument converter.RawValue) (contract.State, error) {
			return r.answerState(requestOf(argument)), nil
		}},
		{contract.QueryTimeline, "segments of every leg", func() ([]interaction.Span, error) { return r.Interaction.Timeline(), nil }},
		{contract.QueryDeliveries, "deliveries that were sent, are in flight, or are in a lane", func() ([]*contract.DeliveryRecord, error) {
			return append([]*contract.DeliveryRecord{}, r.Deliveries.Records...), nil
		}},
		{contract.QueryRejected, "signals that were refused", func() ([]contract.Rejected, error) {
			return append([]contract.Rejected{}, r.Rejected.Last...), nil
		}},
	}
	for _, q := range queries {
		options := workflow.QueryHandlerOptions{Description: q.description}
		if err := workflow.SetQueryHandlerWithOptions(ctx, q.name, q.handler, options); err != nil {
			return fmt.Errorf("query %s: %w", q.name, err)
		}
	}
	return nil
}

// requestOf returns what a query asks for: the capabilities of the platform, if it names no actor.
func requestOf(argument converter.RawValue) contract.StateRequest {
	request := contract.StateRequest{Role: interaction.RolePlatform}
	payload, err := jsonOfRaw(argument)
	if err != nil || len(payload) == 0 || json.Unmarshal(payload, &request) != nil {
		return contract.StateRequest{Role: interaction.RolePlatform}
	}
	return request
}

func (r *run) answerState(request contract.StateRequest) contract.State {
	state := r.statusFor(interaction.Actor{ID: request.ID, Role: request.Role})
	if request.Agents {
		state.CapabilitiesFor = r.capabilitiesOf(r.Interaction.Present())
	}
	return state
}

// status returns the status of the interaction, with what only its workflow knows.
func (r *run) status() contract.State {
	return r.statusFor(interaction.Actor{Role: interaction.RolePlatform})
}

// statusFor returns the status with the capabilities of an actor.
func (r *run) statusFor(actor interaction.Actor) contract.State {
	deadlines := r.deadlines()
	return contract.State{
		Status:        r.Interaction.StatusFor(actor),
		RunID:         workflow.GetInfo(r.ctx).WorkflowExecution.RunID,
		Revision:      r.Revision,
		RejectedCount: r.Rejected.Count,
		Duplicates:    r.Duplicates,
		Undelivered:   r.Deliveries.Undelivered,
		Runs:          r.Runs,
		OfferedUntil:  dueOf(interaction.OfferTimeout, deadlines),
		EngagedUntil:  dueOf(interaction.EngagementTimeout, deadlines),
		LateUntil:     dueOf(interaction.LateEventsTimeout, deadlines),
		Gaps:          r.Sequence.Gaps,
		Missing:       slices.Clone(r.Sequence.Missing),
	}
}
