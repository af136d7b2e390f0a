package view

import (
	"encoding/json"
	"strconv"
)

// All is written by hand: every change is encoded for each agent who takes part, and reflection takes
// several times as long.

// MarshalJSON writes the resource.
func (r *Resource) MarshalJSON() ([]byte, error) { return r.append(nil), nil }

// StateMessage returns the resource with a messageType, as an element of the content of a workbin.
func (r *Resource) StateMessage() json.RawMessage {
	b := buffer{'{'}
	b.text("messageType", InteractionMessage)
	b.resource(r)
	return json.RawMessage(append(b, '}'))
}

func (r *Resource) append(b buffer) buffer {
	b = append(b, '{')
	b.resource(r)
	return append(b, '}')
}

// resource writes the fields of a resource, in their fixed order.
func (b *buffer) resource(r *Resource) {
	s := r.state
	b.text("id", s.ID)
	b.text("uri", r.URI())
	b.text("path", r.Path())
	b.text("state", r.name)
	b.list("capabilities", r.capabilities)
	if r.userData != nil {
		b.raw("userData", r.userData)
	} else {
		b.key("userData")
		*b = appendObject(*b, s.UserData)
	}
	b.participants("participants", r.participants(), r.base)
	b.text("receivedDate", s.StartedAt.UTC().Format(receivedLayout))
	b.text(r.medium.TypeKey, direction(s))
	if r.medium.Name == Openmedia.Name {
		b.text("mediaType", string(s.Channel))
	}
	if s.Agent != nil {
		b.text("assignedTo", s.Agent.ID)
	}
	b.given("queue", s.Queue)
	if s.Disposition != nil {
		b.text("disposition", s.Disposition.Code)
	}
	b.given("comment", s.Comment)
	b.given("parentInteractionId", s.Parent)
	switch r.medium.Name {
	case Call.Name:
		b.given("ani", s.ANI)
		b.given("dnis", s.DNIS)
		b.given("callUuid", s.NativeID)
	case Email.Name:
		m := mailOf(s)
		b.given("subject", m.subject)
		b.given("from", m.from)
		b.list("to", m.to)
	}
}

// buffer is JSON that is being written: the fields of an object.
type buffer []byte

// key begins a field. The keys are ours, and need no escapes.
func (b *buffer) key(name string) {
	if last := len(*b) - 1; last >= 0 && (*b)[last] != '{' && (*b)[last] != '[' {
		*b = append(*b, ',')
	}
	*b = append(*b, '"')
	*b = append(*b, name...)
	*b = append(*b, `":`...)
}

func (b *buffer) raw(key string, value []byte) {
	b.key(key)
	*b = append(*b, value...)
}

func (b *buffer) text(key, value string) {
	b.key(key)
	*b = quoted(*b, value)
}

// given writes a text that may be missing.
func (b *buffer) given(key, value string) {
	if value != "" {
		b.text(key, value)
	}
}

func (b *buffer) flag(key string, value bool) {
	b.key(key)
	*b = strconv.AppendBool(*b, value)
}

func (b *buffer) number(key string, value int64) {
	b.key(key)
	*b = strconv.AppendInt(*b, value, 10)
}

func (b *buffer) list(key string, values []string) {
	b.key(key)
	*b = append(*b, '[')
	for n, value := range values {
		if n > 0 {
			*b = append(*b, ',')
		}
		*b = quoted(*b, value)
	}
	*b = append(*b, ']')
}
