package commands

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"segue/client"
	"segue/contract"
)

// send sends a group as one update, and answers each of its calls. No caller's context ends the
// update: others wait for it, and the next update must know its outcome.
func (s *Sender) send(n client.Name, group []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), GroupWait)
	defer cancel()
	isWanted := func() bool {
		return slices.ContainsFunc(group, func(c *call) bool { return !c.gone.Load() })
	}
	switch first := group[0]; {
	case first.isStart():
		s.observe(first.count)
		s.open(ctx, n, first, isWanted)
	case len(group) == 1 && first.isSingle():
		s.observe(1)
		s.sendSingle(ctx, n, first, isWanted)
	default:
		s.sendGroup(ctx, n, group, isWanted)
	}
}

func (s *Sender) sendSingle(ctx context.Context, n client.Name, c *call, isWanted func() bool) {
	var answer contract.Answer
	message := client.Message{Name: c.name, ID: rand.Text(), Payload: c.payload, Wanted: isWanted}
	runID, err := s.target.SendUpdate(ctx, n, message, &answer)
	if err != nil {
		s.fail(ctx, []*call{c}, err)
		return
	}
	c.settle(runID, []client.Outcome{{Answer: answer}})
}

func (s *Sender) sendGroup(ctx context.Context, n client.Name, group []*call, isWanted func() bool) {
	group, payload, count := join(group)
	if count == 0 {
		return
	}
	s.observe(count)
	var results []contract.CommandResult
	message := client.Message{Name: contract.UpdateCommands, ID: rand.Text(), Payload: payload, Wanted: isWanted}
	runID, err := s.target.SendUpdate(ctx, n, message, &results)
	if err == nil && len(results) != count {
		err = fmt.Errorf("%s: %d commands have %d results", n, count, len(results))
	}
	if err != nil {
		s.fail(ctx, group, err)
		return
	}
	for _, c := range group {
		outcomes := make([]client.Outcome, c.count)
		for i := range outcomes {
			outcomes[i] = client.OutcomeOf(results[i])
		}
		results = results[c.count:]
		c.settle(runID, outcomes)
	}
}

// join returns the array of all commands, and the calls whose commands are in it. A call that cannot be
// rendered fails by itself.
func join(group []*call) (joined []*call, array json.RawMessage, count int) {
	size := 2
	for _, c := range group {
		size += c.bytes + 32*c.count
	}
	array = append(make([]byte, 0, size), '[')
	for _, c := range group {
		elements, err := c.asElements()
		if err != nil {
			c.fail(err)
			continue
		}
		for _, element := range elements {
			if count > 0 {
				array = append(array, ',')
			}
			array = append(array, element...)
			count++
		}
		joined = append(joined, c)
	}
	return joined, append(array, ']'), count
}

func (s *Sender) open(ctx context.Context, n client.Name, c *call, isWanted func() bool) {
	opened, err := s.target.Open(ctx, n, client.Opening{Start: c.start, Commands: c.elements, ID: rand.Text(), Wanted: isWanted})
	if err == nil && len(opened.Outcomes) != c.count {
		err = fmt.Errorf("%s: %d commands have %d results", n, c.count, len(opened.Outcomes))
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.started = Started{RunID: opened.RunID, Duplicate: opened.Duplicate, Answer: Answer{Answer: opened.Answer, RunID: opened.RunID}}
	c.settle(opened.RunID, opened.Outcomes)
}

// fail answers the calls of an update that failed as a whole. In a completed interaction, commands
// that it has applied before are repeats.
func (s *Sender) fail(ctx context.Context, group []*call, err error) {
	var closed *client.CompletedError
	if errors.As(err, &closed) && closed.Last != nil {
		s.answerClosed(ctx, group, closed)
		return
	}
	for _, c := range group {
		c.fail(err)
	}
}

func (s *Sender) answerClosed(ctx context.Context, group []*call, closed *client.CompletedError) {
	var commands []json.RawMessage
	for _, c := range group {
		if c.isSingle() {
			commands = append(commands, c.payload)
		}
		commands = append(commands, c.elements...)
	}
	outcomes, err := s.repeats(ctx, closed, commands)
	for _, c := range group {
		switch {
		case err != nil:
			c.fail(err)
			continue
		case allFailed(outcomes[:c.count]):
			c.fail(closed)
		default:
			c.settle(closed.Last.RunID, outcomes[:c.count])
		}
		outcomes = outcomes[c.count:]
	}
}

func allFailed(outcomes []client.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o client.Outcome) bool { return o.Err == nil })
}

func (s *Sender) repeats(ctx context.Context, closed *client.CompletedError, commands []json.RawMessage) ([]client.Outcome, error) {
	received, err := s.closed.received(ctx, closed, s.target.Received)
	if err != nil {
		return nil, err
	}
	return client.Repeats(closed, received, commands), nil
}
