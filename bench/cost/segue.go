package main

import (
	"context"
	"fmt"
	"strings"

	sdkclient "go.temporal.io/sdk/client"

	"segue/bench"
	"segue/client"
	"segue/client/feed"
	"segue/contract"
)

// segueContenders returns the contenders with Segue. If late is true, one of them has the default late_events.
func segueContenders(temporal sdkclient.Client, queue string, late bool) []*contender {
	target := &client.Client{Temporal: temporal, TaskQueue: queue}
	workflows := func(id string) []string {
		owner := contract.Owner{ContactCenter: contactCenter, Interaction: id}
		return []string{contract.InteractionWorkflowID(contactCenter, id), contract.DeliveryWorkflowID(owner, bench.Call)}
	}
	contenders := []*contender{
		{name: byUpdate, start: starter(target), workflows: workflows, send: updater(target)},
		{
			name: bySignal, start: starter(target), workflows: workflows,
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
	}
	if late {
		target := &client.Client{Temporal: temporal, TaskQueue: lateQueue(queue)}
		contenders = append(contenders, &contender{
			name: byLate, start: starter(target), workflows: workflows, send: updater(target), staysOpen: true,
		})
	}
	return contenders
}

func starter(target *client.Client) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		payload := fmt.Appendf(nil, `{"id":%q,"contact_center":%q,%s}`, id, contactCenter, bench.StartFields)
		_, err := target.Start(ctx, nameOf(id), payload, false)
		return err
	}
}

func updater(target *client.Client) func(context.Context, string, int) error {
	return func(ctx context.Context, id string, n int) error {
		_, err := target.Update(ctx, nameOf(id), bench.Commands[n].Name, bench.EventID(id, n), payloadOf(id, n))
		return err
	}
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
