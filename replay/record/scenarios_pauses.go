package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"segue/contract"
	"segue/interaction"
)

// silence is longer than the timers of a chat. What is recorded within milliseconds shows
// nothing of which clock a command was judged by.
const silence = 1500 * time.Millisecond

// pauses are paths in which time passes before what happens.
var pauses = []scenario{
	{
		name:      "paused",
		histories: map[string]string{"paused": interactionID("paused")},
		play: func(ctx context.Context, s *studio) error {
			if err := s.start(ctx, "paused", "chat", ""); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := s.signals(ctx, "paused", "offer", agentOne, "accept", agentOne); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := s.signals(ctx, "paused", "dtmf", `{"digits":"2","source_sequence":2}`); err != nil {
				return err
			}
			time.Sleep(silence / 5)
			if err := s.signals(ctx, "paused", "disconnect", `{"source_sequence":1,"by":{"id":"a1","role":"agent"}}`); err != nil {
				return err
			}
			return s.finished(ctx, interactionID("paused")) // wrap-up and late events end by their timers
		},
	},
	{
		name:      "refused_update",
		histories: map[string]string{"refused_update": interactionID("refused")},
		play: func(ctx context.Context, s *studio) error {
			if err := s.start(ctx, "refused", "chat", ""); err != nil {
				return err
			}
			time.Sleep(silence)
			if err := s.steps(ctx, "refused", "hold", none); err == nil {
				return errors.New("hold was not refused")
			}
			time.Sleep(silence / 2) // the offer is due by the clock of the start, and not by that of the refusal
			if err := s.signals(ctx, "refused", "offer", agentOne); err != nil {
				return err
			}
			if err := s.is(ctx, "refused", interaction.StateOffered); err != nil {
				return err
			}
			if err := s.signals(ctx, "refused", "accept", agentOne, "complete", none); err != nil {
				return err
			}
			return s.finished(ctx, interactionID("refused"))
		},
	},
	{
		name:      "commands",
		histories: map[string]string{"commands": interactionID("commands")},
		play: func(ctx context.Context, s *studio) error {
			if err := s.start(ctx, "commands", "inbound", ""); err != nil {
				return err
			}
			return errors.Join(
				s.steps(ctx, "commands", contract.UpdateCommands, `[{"command":"place_in_queue","queue":"sales"},{"command":"hold"},{"command":"offer","agent":"a1"}]`),
				s.signals(ctx, "commands", "accept", agentOne),
				s.steps(ctx, "commands", contract.UpdateCommands, `[{"command":"set_disposition","code":"SOLD"},{"command":"complete"}]`),
				s.finished(ctx, interactionID("commands")))
		},
	},
	{
		name:      "replied",
		histories: map[string]string{"replied": interactionID("mail"), "draft": interactionID("mail~1")},
		play: func(ctx context.Context, s *studio) error {
			if err := s.start(ctx, "mail", "email", ""); err != nil {
				return err
			}
			return errors.Join(
				s.steps(ctx, "mail", "accept", agentOne, "reply", `{"all":true}`),
				s.is(ctx, "mail~1", interaction.StateComposing),
				s.steps(ctx, "mail~1", "complete", agentOne),
				s.steps(ctx, "mail", "complete", agentOne),
				s.finished(ctx, interactionID("mail~1")),
				s.finished(ctx, interactionID("mail")))
		},
	},
}

// is waits until an interaction is in a state.
func (s *studio) is(ctx context.Context, id string, state interaction.State) error {
	return ask(ctx, s, interactionID(id), contract.QueryState, func(status contract.State) bool { return status.State == state })
}

// flood sends a signal again and again until the workflow has continued as new.
func (s *studio) flood(ctx context.Context, workflowID, name string, payload func() any) error {
	for {
		for range 250 {
			if err := s.client.SignalWorkflow(ctx, workflowID, "", name, payload()); err != nil {
				return fmt.Errorf("flooding %s: %w", workflowID, err)
			}
		}
		description, err := s.client.DescribeWorkflowExecution(ctx, workflowID, "")
		if err != nil {
			return fmt.Errorf("flooding %s: %w", workflowID, err)
		}
		if info := description.GetWorkflowExecutionInfo(); info.GetFirstRunId() != info.GetExecution().GetRunId() {
			return nil
		}
	}
}

// unknown is the payload of a signal that means nothing to a workflow.
func unknown() any { return nil }
