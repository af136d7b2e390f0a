package client

import (
	"context"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/sdk/converter"

	"segue/contract"
)

// Received returns the event ids of the start and of all commands that Temporal has on record for an
// interaction, in all its runs, whether the interaction applied them or not. Commands that it
// refused as updates are not on record.
func (c *Client) Received(ctx context.Context, n Name) (map[string]bool, error) {
	ids := map[string]bool{}
	for runID := ""; ; {
		history, err := c.History(ctx, n, n.WorkflowID(), runID)
		if err != nil {
			return nil, err
		}
		for _, id := range receivedIn(history.Events) {
			if id != "" {
				ids[id] = true
			}
		}
		if len(history.Events) == 0 {
			return ids, nil
		}
		runID = history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
		if runID == "" {
			return ids, nil
		}
	}
}

// receivedIn returns the event ids of one run's commands; "" for a command that has none.
func receivedIn(events []*historypb.HistoryEvent) []string {
	var ids []string
	arrays := map[string][]string{} // of updates without a result, by update id
	single := map[string]string{}
	for _, event := range events {
		if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
			ids = append(ids, firstIDs(started)...)
		}
		if signaled := event.GetWorkflowExecutionSignaledEventAttributes(); signaled.GetSignalName() == contract.SignalCommands {
			ids = append(ids, arrayIDs(signaled.GetInput())...)
		} else if signaled != nil {
			ids = append(ids, read[command](signaled.GetInput()).EventID)
		}
		if accepted := event.GetWorkflowExecutionUpdateAcceptedEventAttributes(); accepted != nil {
			id, input := accepted.GetAcceptedRequest().GetMeta().GetUpdateId(), accepted.GetAcceptedRequest().GetInput()
			ids = append(ids, id)
			if input.GetName() == contract.UpdateCommands {
				arrays[id] = arrayIDs(input.GetArgs())
			} else {
				single[id] = read[command](input.GetArgs()).EventID
			}
		}
		if completed := event.GetWorkflowExecutionUpdateCompletedEventAttributes(); completed != nil {
			id := completed.GetMeta().GetUpdateId()
			ids = append(ids, withoutRefused(arrays[id], completed.GetOutcome())...)
			delete(arrays, id)
			if completed.GetOutcome().GetFailure() != nil {
				delete(single, id)
			}
		}
	}
	for _, array := range arrays {
		ids = append(ids, array...)
	}
	for _, id := range single {
		ids = append(ids, id)
	}
	return ids
}

type command struct {
	EventID string `json:"event_id"`
}

// firstIDs returns the event ids of the start and of the commands that came with it.
func firstIDs(started *historypb.WorkflowExecutionStartedEventAttributes) []string {
	payloads := started.GetInput().GetPayloads()
	if len(payloads) == 0 || started.GetContinuedExecutionRunId() != "" {
		return nil
	}
	ids := []string{read[command](&commonpb.Payloads{Payloads: payloads[:1]}).EventID}
	if len(payloads) == 1 {
		return ids
	}
	return append(ids, idsOf(read[contract.FirstCommands](&commonpb.Payloads{Payloads: payloads[1:2]}).Commands)...)
}

func arrayIDs(input *commonpb.Payloads) []string { return idsOf(read[json.RawMessage](input)) }

// idsOf returns the event id of each element of an array of commands.
func idsOf(array json.RawMessage) []string {
	var items []json.RawMessage
	if json.Unmarshal(array, &items) != nil {
		return nil
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = eventIDOf(item)
	}
	return ids
}

// eventIDOf returns the event id of one command; "" if it has none.
func eventIDOf(item json.RawMessage) string {
	var one command
	if json.Unmarshal(item, &one) != nil {
		return ""
	}
	return one.EventID
}

// withoutRefused returns the event ids of the commands that an update did not refuse.
func withoutRefused(ids []string, outcome *updatepb.Outcome) []string {
	var taken []string
	results := read[[]contract.CommandResult](outcome.GetSuccess())
	for i, id := range ids {
		if i < len(results) && results[i].Error == nil {
			taken = append(taken, id)
		}
	}
	return taken
}

// read decodes the JSON of a message; what is not such JSON is the zero value.
func read[T any](input *commonpb.Payloads) T {
	var value, zero T
	if len(input.GetPayloads()) == 0 || converter.GetDefaultDataConverter().FromPayloads(input, &value) != nil {
		return zero
	}
	return value
}
