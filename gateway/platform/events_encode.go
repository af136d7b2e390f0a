package platform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"segue/bus"
	"segue/contract"
	"segue/gateway/index"
	"segue/interaction"
)

// The names of events that are no moments.
const (
	whenChange  = "change"
	eventState  = "state"
	eventGap    = "gap"
	eventResync = "resync"
)

// liveEvent is one moment of a change, or a change without one.
type liveEvent struct {
	ContactCenter string              `json:"contact_center" doc:"The contact center of the interaction." example:"default"`
	Interaction   string              `json:"interaction" doc:"The id of the interaction." example:"ixn-1"`
	Sequence      int64               `json:"sequence" doc:"The number of the event; of a change without one, that of the event before."`
	Revision      int64               `json:"revision" doc:"The number of the change."`
	When          string              `json:"when" doc:"The moment, or change." example:"segment_change"`
	At            time.Time           `json:"at" doc:"When it happened."`
	Command       string              `json:"command" doc:"The command, the timer or another cause." example:"accept"`
	Segment       interaction.Segment `json:"segment,omitempty" doc:"The segment of the leg now."`
	Leg           interaction.Leg     `json:"leg,omitempty"`
	From          interaction.Segment `json:"from,omitempty" doc:"The segment that the leg left."`
	To            interaction.Segment `json:"to,omitempty"`
	Agent         *interaction.Agent  `json:"agent,omitempty"`
	Queue         string              `json:"queue,omitempty"`
	Reason        string              `json:"reason,omitempty"`
	Fields        map[string]any      `json:"fields" doc:"The command's own fields."`
	State         *contract.State     `json:"state,omitempty" doc:"With include=state: the state after the change, unless it is too large."`
}

// liveState is the state of an interaction in a stream.
type liveState struct {
	ContactCenter string          `json:"contact_center"`
	Interaction   string          `json:"interaction"`
	Sequence      int64           `json:"sequence"`
	Revision      int64           `json:"revision"`
	State         *contract.State `json:"state,omitempty" doc:"The state; absent if it is too large to be read at once."`
}

// liveGap is a range of changes that are lost.
type liveGap struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	From          int64  `json:"from" doc:"The first lost revision."`
	To            int64  `json:"to" doc:"The last lost revision."`
}

// liveResync says why a stream begins again.
type liveResync struct {
	Reason string `json:"reason" enum:"expired,foreign,overrun" doc:"expired: the id is too old. foreign: it is of another stream, or none. overrun: the client was too slow."`
}

// frame is one event as it is sent, without a state.
type frame struct {
	place int
	when  string
	bytes []byte
}

// frameOf returns an event as it is sent; without an id if that is empty.
func frameOf(id, name string, data any) ([]byte, error) {
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("encode an event %s: %w", name, err)
	}
	var b bytes.Buffer
	b.Grow(len(encoded) + len(id) + len(name) + 32)
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("event: " + name + "\ndata: ")
	b.Write(encoded) // JSON has no line breaks
	b.WriteString(frameEnd)
	return b.Bytes(), nil
}

const (
	frameEnd = "\n\n"
	// openEnd ends the data of an event with an object.
	openEnd = "}" + frameEnd
)

// encoded is a notice as streams send it. It is encoded once, for all of them.
type encoded struct {
	once   sync.Once
	frames []frame
	err    error

	stateOnce sync.Once
	state     []byte
	stateErr  error
}

func (e *encoded) moments(c *index.Change) ([]frame, error) {
	e.once.Do(func() { e.frames, e.err = framesOf(c) })
	return e.frames, e.err
}

// stateOf returns the state of the notice for callers who may give any command.
func (e *encoded) stateOf(n *contract.Notice) ([]byte, error) {
	e.stateOnce.Do(func() { e.state, e.stateErr = json.Marshal(n.State) })
	return e.state, e.stateErr
}

// framesOf returns the moments of a change, or the change itself if it has none.
func framesOf(c *index.Change) ([]frame, error) {
	n := c.Notice
	id := eventID{life: lifeOf(c.At.Epoch), sequence: c.At.Sequence, place: placeMoment}
	if len(n.Events) == 0 {
		data := liveEvent{
			ContactCenter: n.ContactCenter, Interaction: n.Interaction, Sequence: n.Sequence, Revision: n.Revision, When: whenChange,
			At: c.Time, Command: n.Command, Fields: map[string]any{},
		}
		bytes, err := frameOf(id.String(), whenChange, &data)
		return []frame{{place: id.place, when: whenChange, bytes: bytes}}, err
	}
	frames := make([]frame, len(n.Events))
	for i := range n.Events {
		data := momentOf(n, &n.Events[i])
		bytes, err := frameOf(id.String(), data.When, data)
		if err != nil {
			return nil, err
		}
		frames[i] = frame{place: id.place, when: data.When, bytes: bytes}
		id.place++
	}
	return frames, nil
}

func momentOf(n *contract.Notice, e *interaction.Event) *liveEvent {
	data := &liveEvent{
		ContactCenter: n.ContactCenter, Interaction: n.Interaction, Sequence: e.Sequence, Revision: n.Revision, When: string(e.Moment),
		At: e.At, Command: e.Command, Segment: e.Segment, Leg: e.Leg, From: e.From, To: e.To, Agent: e.Agent, Queue: e.Queue,
		Reason: e.Reason, Fields: e.Fields,
	}
	if data.Fields == nil {
		data.Fields = map[string]any{}
	}
	return data
}

// encodings keeps the encoded form of the last notices, which most streams send at about the same time.
// Its zero value is ready.
type encodings struct {
	mu    sync.Mutex
	known map[bus.Position]*encoded
	order [keptEncodings]bus.Position
	next  int
}

// keptEncodings is how many notices are kept encoded. A state has 512 KiB at most, and a few usually.
const keptEncodings = 128

// of returns the encoded form of a change, which may be empty yet.
func (e *encodings) of(c *index.Change) *encoded {
	e.mu.Lock()
	defer e.mu.Unlock()
	if found := e.known[c.At]; found != nil {
		return found
	}
	if e.known == nil {
		e.known = map[bus.Position]*encoded{}
	}
	delete(e.known, e.order[e.next])
	e.order[e.next] = c.At
	e.next = (e.next + 1) % keptEncodings
	fresh := &encoded{}
	e.known[c.At] = fresh
	return fresh
}

func quoted(text string) string { return strconv.QuoteToASCII(text[:min(len(text), 64)]) }
