package gws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/commands"
	"segue/gateway/gws/view"
	"segue/gateway/problem"
	"segue/interaction"
)

// sender is what the face needs of commands.Sender; tests replace it.
type sender interface {
	Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error)
	SendAll(ctx context.Context, n client.Name, commands []json.RawMessage) ([]commands.Result, error)
}

// command is one command to an interaction, without what the face adds to each.
type command struct {
	name   string
	fields fields
}

// give sends commands in order, and returns when the lists show what they have done. If some of several
// are refused, that is a partial success; if all are, the error is the first one's.
func (f *face) give(q *request, n client.Name, given []command) error {
	for _, c := range given {
		if !auth.MayCommand(q.caller, c.name) {
			p := problem.New(problem.NotPermitted, fmt.Sprintf("the role %s may not give the command %s", q.caller.Role, c.name))
			p.Why = string(interaction.WhyRole)
			return p
		}
	}
	results, err := f.send(q, n, given)
	if err != nil {
		return err
	}
	f.await(q, n, results)
	var refused []error
	for _, one := range results {
		if one.Err != nil {
			refused = append(refused, one.Err)
		}
	}
	switch {
	case len(refused) == 0:
		return nil
	case len(refused) == len(results):
		return refused[0]
	}
	return partly(refused)
}

// partly returns the refusal of a request of which a part was done.
func partly(refused []error) error {
	var reasons []string
	for _, one := range refused {
		reasons = append(reasons, messageOf(problem.Of(one)))
	}
	return refuse(codePartial, "a part of it was refused, the rest was done: %s", strings.Join(reasons, "; "))
}

// send sends one command, or several as an array.
func (f *face) send(q *request, n client.Name, given []command) ([]commands.Result, error) {
	payloads := make([]json.RawMessage, len(given))
	for i, c := range given {
		payload, err := q.payload(c, len(given) > 1)
		if err != nil {
			return nil, err
		}
		payloads[i] = payload
	}
	switch len(given) {
	case 0:
		return nil, nil
	case 1:
		answer, err := f.sender.Send(q.Context(), n, given[0].name, payloads[0])
		return []commands.Result{{Answer: answer, Err: err}}, nil
	}
	return f.sender.SendAll(q.Context(), n, payloads)
}

// payload returns a command as it is sent: with the id of its event, from which each replica reads whose
// request has caused it, and with who gives it. What the platform gives, nobody gives.
func (q *request) payload(c command, isElement bool) (json.RawMessage, error) {
	payload := fields{}
	maps.Copy(payload, c.fields)
	payload["event_id"] = view.EventID(rand.Text(), q.reference)
	if q.caller.Role != interaction.RolePlatform {
		payload["by"] = q.actor()
	}
	if isElement {
		payload["command"] = c.name
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("command %s: %w", c.name, err)
	}
	return encoded, nil
}

// await waits until the lists show what an agent's commands have changed, the draft of a reply too.
// Nobody else waits: their changes are in the lists a little later.
func (f *face) await(q *request, n client.Name, results []commands.Result) {
	see := f.index.Answered
	if q.agent() != "" {
		see = func(n client.Name, runID string, revision int64) { f.index.Await(q.Context(), n, runID, revision) }
	}
	isLast := true // the last one that was applied has the highest revision
	for _, one := range slices.Backward(results) {
		if one.Err != nil || one.Answer.Waiting {
			continue
		}
		if isLast {
			see(n, one.Answer.RunID, one.Answer.Revision)
			isLast = false
		}
		if one.Answer.Child != "" {
			see(client.Name{ContactCenter: n.ContactCenter, ID: one.Answer.Child}, "", 1)
		}
	}
}

// isRefusal reports whether an error is the interaction's answer to a command, and not a failure on the
// way.
func isRefusal(err error) bool {
	var refused *client.RefusedError
	return errors.As(err, &refused)
}
