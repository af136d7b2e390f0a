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

// TestCall is one call at one moment, to be sent once without an interaction. It begins
// with the sample data of a Report.
type TestCall struct {
	Call  *config.Call
	View  *interaction.View
	Event *interaction.Event
}

// NewTestCall returns a call with sample data of a moment. An empty moment stands for the
// first that fires the call, or for interaction_ends if no trigger does.
func NewTestCall(s *config.Set, c *config.Call, moment interaction.Moment) *TestCall {
	if moment == "" {
		moment = interaction.MomentInteractionEnds
		if moments := s.Triggers.Fires(c.Name); len(moments) > 0 {
			moment = moments[0]
		}
	}
	t := &TestCall{Call: c}
	t.View, t.Event = sample(occasionAt(s, c.Name, moment), c.Template.Uses())
	return t
}

// occasionAt returns the first occasion at a moment that fires a call, or the one of a
// trigger without filters.
func occasionAt(s *config.Set, call string, moment interaction.Moment) trigger.Occasion {
	for _, o := range occasionsOf(s, call) {
		if o.Moment == moment {
			return o
		}
	}
	return trigger.Spec{Moments: []string{string(moment)}}.Occasions()[0]
}

// overlay is data over the sample, by the names that expressions use.
type overlay struct {
	*interaction.View
	Event json.RawMessage `json:"event"`
}

// Overlay puts data over the sample. The data is a JSON object whose keys are the names
// that expressions begin with, or the output of `segue show --json` for an interaction,
// which replaces the sample. Overlay reports an error for any other data.
func (t *TestCall) Overlay(data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return errors.New("is not a JSON object")
	}
	if state, ok := object["state"]; ok && object["timeline"] != nil {
		return t.replaceWith(state)
	}
	o := overlay{View: t.View}
	decoder := exact(data)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("%s; use interaction, agent, previous_agent, event, user_data, disposition, survey, durations", jsonProblem(err))
	}
	// The agent of an event takes precedence over the interaction's.
	if _, given := object["agent"]; given {
		t.Event.Agent = t.View.Agent
	}
	if _, given := object["previous_agent"]; given {
		t.Event.PreviousAgent = t.View.PreviousAgent
	}
	t.View.Settle()
	return t.overlayEvent(o.Event)
}

// exact decodes numbers digit for digit, as those of a command are.
func exact(data []byte) *json.Decoder {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder
}

// overlayEvent puts the facts of an event over the sample's. Other names are fields of
// the command, as they are in expressions.
func (t *TestCall) overlayEvent(data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	var fields map[string]any
	if err := exact(data).Decode(&fields); err != nil {
		return errors.New("event is not a JSON object")
	}
	interaction.Settled(fields)
	if err := json.Unmarshal(data, t.Event); err != nil {
		return fmt.Errorf("event: %s", jsonProblem(err))
	}
	facts := jsonNames(reflect.TypeFor[interaction.Event]())
	maps.DeleteFunc(fields, func(name string, _ any) bool { return slices.Contains(facts, name) })
	maps.Copy(t.Event.Fields, fields)
	return nil
}

// replaceWith replaces the sample with the state of an interaction.
func (t *TestCall) replaceWith(data json.RawMessage) error {
	var state contract.State
	if err := exact(data).Decode(&state); err != nil {
		return fmt.Errorf("state: %s", jsonProblem(err))
	}
	t.View.Interaction, t.View.Agent, t.View.PreviousAgent = state.Facts, state.Agent, state.PreviousAgent
	t.View.UserData, t.View.Disposition, t.View.Survey = state.UserData, state.Disposition, state.Survey
	t.View.Settle()
	t.Event.Agent, t.Event.PreviousAgent, t.Event.Queue = state.Agent, state.PreviousAgent, state.Queue
	return nil
}

// jsonProblem describes what is wrong with JSON without the names of Go's types.
func jsonProblem(err error) string {
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
	return fmt.Sprintf("%s: expected %s, got the %s", wrong.Field, wants, wrong.Value)
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
