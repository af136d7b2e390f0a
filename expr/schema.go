package expr

import (
	"time"

	"segue/interaction"

	"cel.dev/cel-go/cel"
)

// getter returns one field of an object, and false if it has no value.
type getter func(object any) (any, bool)

// field is one declared field of an object. An empty value is empty inside a larger
// expression, and missing if the expression is only this field.
type field struct {
	kind *cel.Type
	get  getter
}

// object is a declared type of the schema. open, if set, looks up fields that are not
// declared in the data of the object.
type object struct {
	names  []string
	fields map[string]field
	open   func(object any, name string) (any, bool)
}

// declared is the schema that expressions are checked against.
var declared = map[string]*object{
	"segue.Interaction": facts(),
	"segue.Agent":       agents(),
	"segue.Event":       events(),
	"segue.Disposition": dispositions(),
	"segue.Durations":   durations(),
	"segue.Delivery": newObject(nil).
		add("id", cel.StringType, func(o any) (any, bool) { return o.(*Delivery).ID, true }),
}

// openMap is the type of open data, such as user data: string keys, values of any type.
var openMap = cel.MapType(cel.StringType, cel.DynType)

// variables are the variables of expressions, in the order of the documentation.
var variables = []struct {
	name string
	kind *cel.Type
}{
	{"interaction", cel.ObjectType("segue.Interaction")},
	{"agent", cel.ObjectType("segue.Agent")},
	{"previous_agent", cel.ObjectType("segue.Agent")},
	{"event", cel.ObjectType("segue.Event")},
	{"user_data", openMap},
	{"disposition", cel.ObjectType("segue.Disposition")},
	{"survey", openMap},
	{"durations", cel.ObjectType("segue.Durations")},
	{"delivery", cel.ObjectType("segue.Delivery")},
}

func newObject(open func(any, string) (any, bool)) *object {
	return &object{fields: map[string]field{}, open: open}
}

func (o *object) add(name string, kind *cel.Type, get getter) *object {
	o.names = append(o.names, name)
	o.fields[name] = field{kind: kind, get: get}
	return o
}

// text adds a string field.
func text[T any](o *object, name string, get func(*T) string) {
	o.add(name, cel.StringType, func(v any) (any, bool) {
		t, ok := v.(*T)
		if !ok || t == nil {
			return nil, false
		}
		return get(t), true
	})
}

// value adds a field that may have no value.
func value[T any](o *object, name string, kind *cel.Type, get func(*T) (any, bool)) {
	o.add(name, kind, func(v any) (any, bool) {
		t, ok := v.(*T)
		if !ok || t == nil {
			return nil, false
		}
		return get(t)
	})
}

func facts() *object {
	type facts = interaction.Facts
	o := newObject(nil)
	text(o, "id", func(f *facts) string { return f.ID })
	text(o, "contact_center", func(f *facts) string { return f.ContactCenter })
	text(o, "channel", func(f *facts) string { return string(f.Channel) })
	text(o, "direction", func(f *facts) string { return f.Direction })
	text(o, "state", func(f *facts) string { return string(f.State) })
	text(o, "outcome", func(f *facts) string { return string(f.Outcome) })
	text(o, "business_process", func(f *facts) string { return f.BusinessProcess })
	text(o, "queue", func(f *facts) string { return f.Queue })
	value(o, "workbin", cel.DynType, func(f *facts) (any, bool) { return f.Workbin, f.Workbin != nil && f.Workbin != "" })
	text(o, "ani", func(f *facts) string { return f.ANI })
	text(o, "dnis", func(f *facts) string { return f.DNIS })
	text(o, "native_id", func(f *facts) string { return f.NativeID })
	text(o, "parent", func(f *facts) string { return f.Parent })
	value(o, "customer", openMap, func(f *facts) (any, bool) { return f.Customer, true })
	value(o, "started_at", cel.TimestampType, func(f *facts) (any, bool) { return f.StartedAt, !f.StartedAt.IsZero() })
	moment := func(name string, get func(*facts) time.Time) {
		value(o, name, cel.TimestampType, func(f *facts) (any, bool) { return get(f), !get(f).IsZero() })
	}
	moment("enqueued_at", func(f *facts) time.Time { return f.EnqueuedAt })
	moment("dequeued_at", func(f *facts) time.Time { return f.DequeuedAt })
	moment("connected_at", func(f *facts) time.Time { return f.ConnectedAt })
	moment("disconnected_at", func(f *facts) time.Time { return f.DisconnectedAt })
	value(o, "ended_at", cel.TimestampType, func(f *facts) (any, bool) {
		if f.EndedAt == nil {
			return nil, false
		}
		return *f.EndedAt, true
	})
	return o
}

func agents() *object {
	o := newObject(func(v any, name string) (any, bool) {
		a, _ := v.(*interaction.Agent)
		return agentAttribute(a, name)
	})
	text(o, "id", func(a *interaction.Agent) string { return a.ID })
	text(o, "name", func(a *interaction.Agent) string { return a.Name })
	return o
}

func events() *object {
	type event = interaction.Event
	o := newObject(func(v any, name string) (any, bool) {
		e, ok := v.(*event)
		if !ok || e == nil {
			return nil, false
		}
		found, ok := e.Fields[name]
		return found, ok
	})
	// A fact of the event overrides a field of the command with the same name.
	fact := func(name string, get func(*event) string) {
		text(o, name, func(e *event) string {
			if s := get(e); s != "" {
				return s
			}
			s, _ := e.Fields[name].(string)
			return s
		})
	}
	text(o, "when", func(e *event) string { return string(e.Moment) })
	text(o, "segment", func(e *event) string { return string(e.Segment) })
	text(o, "leg", func(e *event) string { return string(e.Leg) })
	text(o, "from", func(e *event) string { return string(e.From) })
	text(o, "to", func(e *event) string { return string(e.To) })
	value(o, "at", cel.TimestampType, func(e *event) (any, bool) { return e.At, !e.At.IsZero() })
	value(o, "sequence", cel.IntType, func(e *event) (any, bool) { return e.Sequence, true })
	text(o, "command", func(e *event) string { return e.Command })
	value(o, "agent", cel.ObjectType("segue.Agent"), func(e *event) (any, bool) { return e.Agent, e.Agent != nil })
	value(o, "previous_agent", cel.ObjectType("segue.Agent"),
		func(e *event) (any, bool) { return e.PreviousAgent, e.PreviousAgent != nil })
	fact("queue", func(e *event) string { return e.Queue })
	fact("reason", func(e *event) string { return e.Reason })
	return o
}

func dispositions() *object {
	o := newObject(nil)
	text(o, "code", func(d *interaction.Disposition) string { return d.Code })
	text(o, "notes", func(d *interaction.Disposition) string { return d.Notes })
	text(o, "agent", func(d *interaction.Disposition) string { return d.Agent })
	value(o, "at", cel.TimestampType, func(d *interaction.Disposition) (any, bool) { return d.At, !d.At.IsZero() })
	return o
}

func durations() *object {
	type spans = interaction.Durations
	o := newObject(nil)
	span := func(name string, get func(*spans) float64) {
		value(o, name, cel.DoubleType, func(d *spans) (any, bool) { return get(d), true })
	}
	span("queue", func(d *spans) float64 { return d.Queue })
	span("offer", func(d *spans) float64 { return d.Offer })
	span("handle", func(d *spans) float64 { return d.Handle })
	span("hold", func(d *spans) float64 { return d.Hold })
	span("wrap_up", func(d *spans) float64 { return d.WrapUp })
	span("total", func(d *spans) float64 { return d.Total })
	return o
}

// lookup returns a field by name, declared or open. It also reads maps that the expression
// itself has made.
func (o *object) lookup(v any, name string) (any, bool) {
	if m, ok := v.(map[string]any); ok {
		found, ok := m[name]
		return found, ok
	}
	if f, ok := o.fields[name]; ok {
		return f.get(v)
	}
	if o.open != nil {
		return o.open(v, name)
	}
	return nil, false
}
