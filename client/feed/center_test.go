package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"segue/client"
	"segue/contract"
)

// center is a contact center in memory. It refuses the command "bad" and event ids that are no
// texts, completes at "end", and deduplicates event ids as Segue does.
type center struct {
	mu           sync.Mutex
	interactions map[client.Name]*course
	messages     []string // "start", the names of signals and updates, and how many commands each had
	busy, peak   int
	fail         error
	failAfter    int // fail is returned after so many messages
	// together, if set, is how many messages have to be under way at once before the first of them is answered.
	together int
	arrived  *sync.Cond
	// The start of the interaction "gate" closes waits, and waits until gate is closed.
	waits, gate chan struct{}
}

type course struct {
	started, ended bool
	commands       []string
	applied        map[string]bool
	received       map[string]bool
	rejected       []contract.Rejected
}

func newCenter() *center {
	c := &center{interactions: map[client.Name]*course{}}
	c.arrived = sync.NewCond(&c.mu)
	return c
}

func (c *center) enter() {
	c.mu.Lock()
	c.busy++
	c.peak = max(c.peak, c.busy)
	c.arrived.Broadcast()
	for c.peak < c.together {
		c.arrived.Wait()
	}
}

func (c *center) leave() { c.busy--; c.mu.Unlock() }

// item is a command of an array.
type item struct {
	Command string `json:"command"`
	Event   any    `json:"event_id"`
	EventID string `json:"-"`
}

// itemsOf returns the commands of a message.
func itemsOf(name string, payload json.RawMessage) (items []item) {
	var one item
	if name == contract.SignalCommands {
		_ = json.Unmarshal(payload, &items) // an invalid one has none
	} else {
		_ = json.Unmarshal(payload, &one) // an invalid one has no event id
		one.Command = name
		items = []item{one}
	}
	for i := range items {
		items[i].EventID, _ = items[i].Event.(string)
	}
	return items
}

func (c *center) StartWith(_ context.Context, n client.Name, _, commands json.RawMessage, _ bool) (string, error) {
	if n.ID == "gate" {
		close(c.waits)
		<-c.gate
	}
	c.enter()
	defer c.leave()
	items := itemsOf(contract.SignalCommands, commands)
	c.messages = append(c.messages, fmt.Sprintf("start+%d", len(items)))
	switch {
	case c.isFailing():
		return "", c.fail
	case c.interactions[n] != nil:
		return "", &client.ExistsError{Name: n}
	}
	c.interactions[n] = &course{started: true, applied: map[string]bool{}, received: map[string]bool{}}
	c.interactions[n].signaled(items)
	return "run of " + n.ID, nil
}

func (c *center) isFailing() bool { return c.fail != nil && len(c.messages) > c.failAfter }

// receive returns the interaction that a message is for.
func (c *center) receive(n client.Name, kind string, items []item) (*course, error) {
	c.messages = append(c.messages, fmt.Sprintf("%s+%d", kind, len(items)))
	i := c.interactions[n]
	switch {
	case c.isFailing():
		return nil, c.fail
	case i == nil:
		return nil, fmt.Errorf("%s: %w", n, client.ErrNotFound)
	case i.ended:
		return nil, fmt.Errorf("%s: %w", n, client.ErrCompleted)
	}
	return i, nil
}

func (i *course) signaled(items []item) {
	for _, one := range items {
		if one.EventID != "" {
			i.received[one.EventID] = true
		}
		if _, refused := i.apply(one); refused != nil {
			i.rejected = append(i.rejected, contract.Rejected{Command: one.Command, EventID: one.EventID, Reason: refused.Error()})
		}
	}
}

func (i *course) apply(one item) (duplicate bool, err error) {
	switch {
	case one.Event != nil && one.EventID == "":
		return false, &client.RefusedError{Type: contract.ErrorInvalidPayload, Message: "event_id"}
	case one.EventID != "" && i.applied[one.EventID]:
		return true, nil
	case i.ended:
		return false, &client.RefusedError{Type: contract.ErrorIllegalCommand, Message: "the interaction ended"}
	case one.Command == "bad":
		return false, &client.RefusedError{Type: contract.ErrorIllegalCommand, Message: "bad is not legal"}
	}
	if one.EventID != "" {
		i.applied[one.EventID] = true
	}
	i.commands = append(i.commands, one.Command)
	i.ended = one.Command == "end"
	return false, nil
}

func (c *center) Signal(_ context.Context, n client.Name, command string, payload json.RawMessage) error {
	c.enter()
	defer c.leave()
	items := itemsOf(command, payload)
	i, err := c.receive(n, "signal", items)
	if err == nil {
		i.signaled(items)
	}
	return err
}

func (c *center) Update(ctx context.Context, n client.Name, command, id string, payload json.RawMessage) (contract.Answer, error) {
	results, err := c.update(n, itemsOf(command, payload))
	if err != nil {
		return contract.Answer{}, err
	}
	if refused := results[0].Error; refused != nil {
		return contract.Answer{}, &client.RefusedError{Type: refused.Type, Message: refused.Message}
	}
	results[0].Duplicate = false // Temporal answers a repeated update id with the first answer
	return results[0].Answer, nil
}

func (c *center) Commands(_ context.Context, n client.Name, _ string, array json.RawMessage) ([]contract.CommandResult, error) {
	return c.update(n, itemsOf(contract.UpdateCommands, array))
}

func (c *center) update(n client.Name, items []item) ([]contract.CommandResult, error) {
	c.enter()
	defer c.leave()
	i, err := c.receive(n, "update", items)
	if err != nil {
		return nil, err
	}
	results := make([]contract.CommandResult, len(items))
	for k, one := range items {
		duplicate, err := i.apply(one)
		results[k].Duplicate = duplicate
		if err != nil {
			results[k].Error = &contract.CommandError{Type: contract.ErrorIllegalCommand, Message: err.Error()}
			continue // a refused update is not on record
		}
		if one.EventID != "" {
			i.received[one.EventID] = true
		}
	}
	return results, nil
}

func (c *center) Received(_ context.Context, n client.Name) (map[string]bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interactions[n].received, nil
}

func (c *center) Rejected(_ context.Context, n client.Name) ([]contract.Rejected, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return nil, c.fail
	}
	return c.interactions[n].rejected, nil
}
