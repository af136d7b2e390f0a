package main

import (
	"context"
	"fmt"
	"strings"

	"segue/client"
	"segue/client/feed"
	"segue/config"
	"segue/contract"
	"segue/worker/local"
)

// callName is the name of the only call.
const callName = "probe"

// yamlOf returns Segue's configuration for a receiver.
func yamlOf(url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
calls:
  - name: %s
    method: POST
    url: %s
    json: {interaction: "${interaction.id}", command: "${event.command}", channel: "${interaction.channel}", agent: "${agent.id}"}
    limits: {concurrency: 0}
timeouts: {default: {late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
triggers:
`, callName, url)
	for _, c := range commands {
		fmt.Fprintf(&b, "  - {%s, call: %s}\n", c.when, callName)
	}
	return b.String()
}

// startSegue starts a worker of Segue on a task queue of its own, and returns the three contenders.
func startSegue(segue *local.Segue, url, queue string) (*local.Worker, []*contender, error) {
	set, err := config.Parse("cost.yaml", []byte(yamlOf(url)))
	if err != nil {
		return nil, nil, err
	}
	worker, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set), TaskQueue: queue})
	if err != nil {
		return nil, nil, err
	}
	target := &client.Client{Temporal: segue.Client.Temporal, TaskQueue: queue}
	start := func(ctx context.Context, id string) error {
		payload := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,%s}`, id, contactCenter, startFields)
		_, err := target.Start(ctx, nameOf(id), payload, false)
		return err
	}
	workflows := func(id string) []string {
		owner := contract.Owner{ContactCenter: contactCenter, Interaction: id}
		return []string{contract.InteractionWorkflowID(contactCenter, id), contract.DeliveryWorkflowID(owner, callName)}
	}
	return worker, []*contender{
		{
			name: byUpdate, start: start, workflows: workflows,
			send: func(ctx context.Context, id string, n int) error {
				_, err := target.Update(ctx, nameOf(id), commands[n].name, eventID(id, n), payloadOf(id, n))
				return err
			},
		},
		{
			name: bySignal, start: start, workflows: workflows,
			send: func(ctx context.Context, id string, n int) error {
				return target.Signal(ctx, nameOf(id), commands[n].name, payloadOf(id, n))
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

// startFields are the fields of a start besides its name.
const startFields = `"channel":"inbound","ani":"+4930123456","dnis":"+4989654321"`

func nameOf(id string) client.Name { return client.Name{ContactCenter: contactCenter, ID: id} }

// sendFeed sends a backlog as `segue feed` does. As in the backlog of an outage, the commands of as many interactions as
// the feed sends at once alternate.
func sendFeed(ctx context.Context, target feed.Target, ids []string, parallel int) error {
	var b strings.Builder
	for from := 0; from < len(ids); from += parallel {
		overlapping := ids[from:min(from+parallel, len(ids))]
		for _, id := range overlapping {
			fmt.Fprintf(&b, `{"interaction":%q,"command":"start",%s}`+"\n", id, startFields)
		}
		for n, c := range commands {
			for _, id := range overlapping {
				fields := strings.TrimPrefix(string(payloadOf(id, n)), "{")
				fmt.Fprintf(&b, `{"interaction":%q,"command":%q,%s`+"\n", id, c.name, fields)
			}
		}
	}
	result, err := feed.Run(ctx, target, strings.NewReader(b.String()), feed.Options{ContactCenter: contactCenter, Parallel: parallel})
	if err != nil {
		return err
	}
	if want := len(ids) * (1 + len(commands)); result.Accepted != want {
		return fmt.Errorf("the feed applied %d of %d lines: %+v, %+v", result.Accepted, want, result.Rejected, result.Unanswered)
	}
	return nil
}
