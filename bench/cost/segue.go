package main

import (
	"context"
	"fmt"
	"strings"

	"segue/bench"
	"segue/client"
	"segue/client/feed"
	"segue/config"
	"segue/contract"
	"segue/worker/local"
)

// startSegue starts a worker of Segue on a task queue of its own, and returns the three contenders.
func startSegue(segue *local.Segue, url, queue string) (*local.Worker, []*contender, error) {
	set, err := config.Parse("cost.yaml", []byte(bench.Configuration(url, "late_events: 0s")))
	if err != nil {
		return nil, nil, err
	}
	worker, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set), TaskQueue: queue})
	if err != nil {
		return nil, nil, err
	}
	target := &client.Client{Temporal: segue.Client.Temporal, TaskQueue: queue}
	start := func(ctx context.Context, id string) error {
		payload := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,%s}`, id, contactCenter, bench.StartFields)
		_, err := target.Start(ctx, nameOf(id), payload, false)
		return err
	}
	workflows := func(id string) []string {
		owner := contract.Owner{ContactCenter: contactCenter, Interaction: id}
		return []string{contract.InteractionWorkflowID(contactCenter, id), contract.DeliveryWorkflowID(owner, bench.Call)}
	}
	return worker, []*contender{
		{
			name: byUpdate, start: start, workflows: workflows,
			send: func(ctx context.Context, id string, n int) error {
				_, err := target.Update(ctx, nameOf(id), bench.Commands[n].Name, bench.EventID(id, n), payloadOf(id, n))
				return err
			},
		},
		{
			name: bySignal, start: start, workflows: workflows,
			send: func(ctx context.Context, id string, n int) error {
				return target.Signal(ctx, nameOf(id), bench.Commands[n].Name, payloadOf(id, n))
			},
		},
		{
			name: byFeed, workflows: workflows,
			feed: func(ctx context.Context, ids []string, parallel int) error {
				return sendFeed(ctx, target, ids, parallel)
			},
		},
	}, nil
}

// payloadOf returns the payload of an interaction's n-th command.
func payloadOf(id string, n int) []byte { return bench.Commands[n].Payload(bench.EventID(id, n)) }

func nameOf(id string) client.Name { return client.Name{ContactCenter: contactCenter, ID: id} }

// sendFeed sends a backlog as `segue feed` does. As in the backlog of an outage, the commands of as many interactions as
// the feed sends at once alternate.
func sendFeed(ctx context.Context, target feed.Target, ids []string, parallel int) error {
	var b strings.Builder
	for from := 0; from < len(ids); from += parallel {
		overlapping := ids[from:min(from+parallel, len(ids))]
		for _, id := range overlapping {
			fmt.Fprintf(&b, `{"interaction":%q,"command":"start",%s}`+"\n", id, bench.StartFields)
		}
		for n, c := range bench.Commands {
			for _, id := range overlapping {
				fields := strings.TrimPrefix(string(payloadOf(id, n)), "{")
				fmt.Fprintf(&b, `{"interaction":%q,"command":%q,%s`+"\n", id, c.Name, fields)
			}
		}
	}
	result, err := feed.Run(ctx, target, strings.NewReader(b.String()), feed.Options{ContactCenter: contactCenter, Parallel: parallel})
	if err != nil {
		return err
	}
	if want := len(ids) * (1 + len(bench.Commands)); result.Accepted != want {
		return fmt.Errorf("the feed applied %d of %d lines: %+v, %+v", result.Accepted, want, result.Rejected, result.Unanswered)
	}
	return nil
}
