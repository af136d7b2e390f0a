package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	historypb "go.temporal.io/api/history/v1"
	sdkclient "go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/bench"
	"segue/client"
	"segue/contract"
	"segue/replay"
)

const (
	floorQueue    = "floor"
	contactCenter = "replay"
	// warmUps is how many interactions run before those whose histories are recorded: Segue sends inline only to receivers
	// that it knows to be fast.
	warmUps = 5
)

// recorded is the history of one workflow.
type recorded struct {
	name     string
	commands int
	id       string
	history  *historypb.History
}

// record returns the histories of the floor and of Segue: of the six commands, and of more.
func record(ctx context.Context, long int) (pairs [][]recorded, err error) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer receiver.Close()
	segue, err := bench.Start(ctx, bench.Configuration(receiver.URL, "late_events: 0s"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	temporal := segue.Client.Temporal
	worker := sdkworker.New(temporal, floorQueue, sdkworker.Options{})
	worker.RegisterWorkflow(bench.Floor)
	worker.RegisterActivity(bench.NewPoster())
	if err := worker.Start(); err != nil {
		return nil, err
	}
	defer worker.Stop()
	for i := range warmUps {
		name := client.Name{ContactCenter: contactCenter, ID: fmt.Sprintf("warm-%d", i)}
		if err := runSegue(ctx, segue.Client, name, len(bench.Commands)); err != nil {
			return nil, fmt.Errorf("warming up: %w", err)
		}
	}
	for _, n := range []int{len(bench.Commands), long} {
		floor := recorded{name: "floor", commands: n, id: fmt.Sprintf("floor-%d", n)}
		if err := runFloor(ctx, temporal, floor.id, receiver.URL, n); err != nil {
			return nil, fmt.Errorf("floor: %w", err)
		}
		name := client.Name{ContactCenter: contactCenter, ID: fmt.Sprint(n)}
		interaction := recorded{name: "segue", commands: n, id: contract.InteractionWorkflowID(name.ContactCenter, name.ID)}
		if err := runSegue(ctx, segue.Client, name, n); err != nil {
			return nil, fmt.Errorf("segue: %w", err)
		}
		pair := []recorded{floor, interaction}
		for i := range pair {
			if pair[i].history, err = replay.Fetch(ctx, temporal, workflow.Execution{ID: pair[i].id}); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

// sequence returns n commands: the six, with the fourth, a key that the customer presses, as often as needed.
func sequence(n int) []bench.Command {
	const repeated = 3
	var commands []bench.Command
	for i, c := range bench.Commands {
		commands = append(commands, c)
		for i == repeated && len(commands) < n-(len(bench.Commands)-1-repeated) {
			commands = append(commands, c)
		}
	}
	return commands
}

func runFloor(ctx context.Context, temporal sdkclient.Client, id, url string, n int) error {
	run, err := temporal.ExecuteWorkflow(ctx, sdkclient.StartWorkflowOptions{ID: id, TaskQueue: floorQueue}, bench.Floor, id, url, n)
	if err != nil {
		return err
	}
	for i, c := range sequence(n) {
		eventID := bench.EventID(id, i)
		handle, err := temporal.UpdateWorkflow(ctx, sdkclient.UpdateWorkflowOptions{
			WorkflowID: id, UpdateName: bench.FloorUpdate, UpdateID: eventID, Args: []any{c.BareInput(eventID)},
			WaitForStage: sdkclient.WorkflowUpdateStageCompleted,
		})
		if err != nil {
			return err
		}
		if err := handle.Get(ctx, nil); err != nil {
			return err
		}
	}
	return run.Get(ctx, nil)
}

// runSegue runs an interaction until its workflow has closed, in one run: a history of a part would be of fewer commands.
func runSegue(ctx context.Context, segue *client.Client, name client.Name, n int) error {
	start := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,%s}`, name.ID, name.ContactCenter, bench.StartFields)
	if _, err := segue.Start(ctx, name, start, false); err != nil {
		return err
	}
	for i, c := range sequence(n) {
		eventID := bench.EventID(name.ID, i)
		if _, err := segue.Update(ctx, name, c.Name, eventID, c.Payload(eventID)); err != nil {
			return err
		}
	}
	var last contract.State
	workflowID := contract.InteractionWorkflowID(name.ContactCenter, name.ID)
	if err := segue.Temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, &last); err != nil {
		return err
	}
	if last.Runs != 1 || last.Undelivered > 0 {
		return fmt.Errorf("the interaction had %d runs and has %d undelivered requests; want 1 and 0", last.Runs, last.Undelivered)
	}
	return nil
}
