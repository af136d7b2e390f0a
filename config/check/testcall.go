package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"segue/config"
	"segue/contract"
	"segue/interaction"
	"segue/trigger"
)

// TestCall is one call at one moment, to be sent for real without an interaction: it
// begins with the sample data that Check shows.
type TestCall struct {
	Call  *config.Call
	View  *interaction.View
	Event *interaction.Event
}

// NewTestCall tries a call at a moment. Without one it is the first that fires the call,
// and for a call that nothing fires the end of an interaction.
func NewTestCall(s *config.Set, c *config.Call, when interaction.Moment) *TestCall {
	if when == "" {
		when = interaction.MomentInteractionEnds
		if moments := s.Triggers.Fires(c.Name); len(moments) > 0 {
			when = moments[0]
		}
	}
	t := &TestCall{Call: c}
	t.View, t.Event = sample(occasionAt(s, c.Name, when), c.Template.Uses())
	return t
}

// occasionAt is the first at a moment that fires a call, else one that any trigger
// without filters would have.
func occasionAt(s *config.Set, call string, when interaction.Moment) trigger.Occasion {
	for _, o := range occasionsOf(s, call) {
		if o.Moment == when {
			return o
		}
	}
	return trigger.Spec{Moments: []string{string(when)}}.Occasions()[0]
}

// overlay is data that is laid over the sample, as expressions name it.
type overlay struct {
	*interaction.View
	Event json.RawMessage `json:"event"`
}

// Overlay puts data over the sample: a JSON object with the names that expressions begin
// with, or what `segue show --json` prints of a real interaction, which replaces the
// sample.
func (t *TestCall) Overlay(data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return errors.New("is not a JSON object")
	}
	if state, ok := object["state"]; ok && object["timeline"] != nil {
		return t.layStatus(state)
	}
	o := overlay{View: t.View}
	decoder := exact(data)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("%s; use interaction, agent, previous_agent, event, user_data, disposition, survey, durations", inWords(err))
	}
	// An event about an agent goes before the interaction's own.
	if _, given := object["agent"]; given {
		t.Event.Agent = t.View.Agent
	}
	if _, given := object["previous_agent"]; given {
		t.Event.PreviousAgent = t.View.PreviousAgent
	}
	t.View.Settle()
	return t.layEvent(o.Event)
}

// exact decodes numbers digit for digit, as those of a command are.
func exact(data []byte) *json.Decoder {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder
}

// layEvent puts an event's facts over the sample's; other names are the command's own
// fields, as they are in expressions.
func (t *TestCall) layEvent(data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	var fields map[string]any
	if err := exact(data).Decode(&fields); err != nil {
		return errors.New("event is not a JSON object")
	}
	interaction.Settled(fields)
	if err := json.Unmarshal(data, t.Event); err != nil {
		return fmt.Errorf("event: %s", inWords(err))
	}
	facts := jsonNames(reflect.TypeFor[interaction.Event]())
	maps.DeleteFunc(fields, func(name string, _ any) bool { return slices.Contains(facts, name) })
	maps.Copy(t.Event.Fields, fields)
	return nil
}

func (t *TestCall) layStatus(data json.RawMessage) error {
	var status contract.State
	if err := exact(data).Decode(&status); err != nil {
		return fmt.Errorf("state: %s", inWords(err))
	}
	t.View.Interaction, t.View.Agent, t.View.PreviousAgent = status.Facts, status.Agent, status.PreviousAgent
	t.View.UserData, t.View.Disposition, t.View.Survey = status.UserData, status.Disposition, status.Survey
	t.View.Settle()
	t.Event.Agent, t.Event.PreviousAgent, t.Event.Queue = status.Agent, status.PreviousAgent, status.Queue
	return nil
}

// inWords says what is wrong with JSON without the names of Go's types.
func inWords(err error) string {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	wants := "an object"
	switch wrong.Type.Kind() {
	case reflect.String:
		wants = "text"
	case reflect.Int64, reflect.Float64:
		wants = "a number"
	}
	return fmt.Sprintf("%s: the %s stands where %s belongs", wrong.Field, wrong.Value, wants)
}

func jsonNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// Render renders the call. Mask hides what looks like a credential in the request.
func (t *TestCall) Render(deliveryID string) contract.Request {
	r, _ := t.Call.Template.Render(deliveryID, t.View, t.Event) // the error is also the request's Fault
	return r
}

// Mask hides what looks like a credential in a request that is shown.
func Mask(r contract.Request) contract.Request {
	r.Headers = slices.Clone(r.Headers)
	mask(&r)
	return r
}
