package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"segue/gateway/auth"
	"segue/interaction"
)

// situation is how an interaction gets into a state: its channel, and its first commands.
type situation struct {
	name, start string
	state       interaction.State
	commands    []string
}

const (
	offered  = `{"command":"offer","agent":"ann"}`
	accepted = `{"command":"accept","agent":"ann"}`
)

// situations reach every state. ann has the interaction, or an offer; bob is who is asked for help, or has
// an offer too; carl has nothing to do with it.
var situations = []situation{
	{"started", `"channel":"inbound"`, interaction.StateStarted, nil},
	{"started-assigned", `"channel":"outbound","agent":"ann"`, interaction.StateStarted, nil},
	{"queued", `"channel":"inbound"`, interaction.StateQueued, []string{`{"command":"place_in_queue","queue":"sales"}`}},
	{"offered", `"channel":"inbound","queue":"sales"`, interaction.StateOffered, []string{offered}},
	{"offered-to-two", `"channel":"chat"`, interaction.StateOffered, []string{`{"command":"offer","agents":["ann","bob"]}`}},
	{"previewed", `"channel":"outbound"`, interaction.StateOffered, []string{`{"command":"offer","agent":"ann","preview":true}`}},
	{"dialing", `"channel":"outbound"`, interaction.StateDialing, []string{`{"command":"dial","agent":"ann","destination":"+4930123"}`}},
	{"handling", `"channel":"inbound"`, interaction.StateHandling, []string{offered, accepted}},
	{"held", `"channel":"inbound"`, interaction.StateHandling, []string{offered, accepted, `{"command":"hold"}`}},
	{"without-agent", `"channel":"cloud_routing"`, interaction.StateHandling, []string{`{"command":"connect"}`}},
	{"transferred", `"channel":"inbound"`, interaction.StateHandling, []string{offered, `{"command":"accept","agent":"ann"}`, `{"command":"transfer","to":{"agent":"bob"}}`}},
	{"consulting", `"channel":"inbound"`, interaction.StateConsulting, []string{offered, accepted, `{"command":"consult","to":{"agent":"bob"}}`}},
	{"conference", `"channel":"inbound"`, interaction.StateConference, []string{offered, accepted, `{"command":"conference","agent":"bob"}`}},
	{"in-workbin", `"channel":"email"`, interaction.StateInWorkbin, []string{offered, accepted, `{"command":"place_in_workbin","workbin":"drafts"}`}},
	{"wrap-up", `"channel":"inbound"`, interaction.StateWrapUp, []string{offered, accepted, `{"command":"disconnect"}`}},
	{"wrap-up-of-email", `"channel":"email"`, interaction.StateWrapUp, []string{offered, accepted, `{"command":"disconnect"}`}},
	{"engaging", `"channel":"web"`, interaction.StateEngaging, []string{`{"command":"engage","ixnProfile":{"visitID":"v-1"}}`}},
	{"composing", `"channel":"email","draft":true,"agent":"ann"`, interaction.StateComposing, nil},
	{"lingering", `"channel":"inbound"`, interaction.StateCompleted, []string{offered, accepted, `{"command":"complete"}`}},
	{"completed", `"channel":"inbound"`, interaction.StateCompleted, []string{`{"command":"abandon"}`}},
}

// payloads are the shortest payloads that fit. Agents leave out who acts: they do.
var payloads = map[string]string{
	"place_in_queue": `"queue":"support"`, "offer": `"agent":"dan"`, "accept": `"agent":"ann"`, "reject": `"agent":"ann"`, "dial": `"destination":"+4930999"`,
	"consult": `"to":{"agent":"dan"}`, "conference": `"agent":"dan"`, "leave": `"agent":"ann"`, "transfer": `"to":{"queue":"support"}`,
	"place_in_workbin": `"workbin":"later"`, "set_disposition": `"code":"sold"`, "attach_user_data": `"user_data":{"a":1}`,
	"update_user_data": `"user_data":{"a":1}`, "delete_user_data": `"keys":["a"]`, "set_attributes": `"comment":"c"`, "survey": `"answers":{"score":9}`,
	"queue_event": `"event":"announced"`, "dtmf": `"digits":"42#"`, "script_signal": `"name":"saved"`, "signal_added": `"name":"upsell"`,
	"signal_removed": `"name":"upsell"`, "engage": `"ixnProfile":{"visitID":"v-2"}`, "noengage": `"cancelData":{"visitID":"v-2"}`,
	"engagement_result": `"result":"accepted","queue":"web"`, "segment_change": `"segment":"handling","leg":"business_process"`,
}

func payloadOf(c caller, command string) string {
	if c.role == interaction.RoleAgent && slices.Contains([]string{"accept", "reject", "leave"}, command) {
		return "{}"
	}
	return "{" + payloads[command] + "}"
}

// twin returns the interaction as the state machine alone has it.
func (s situation) twin(id string) (*interaction.Interaction, error) {
	start, err := interaction.DecodeStart(fmt.Appendf(nil, `{"id":%q,"contact_center":"acme",%s}`, id, s.start))
	if err != nil {
		return nil, err
	}
	twin, _, err := interaction.Open(start, time.Now())
	for _, element := range s.commands {
		var fields map[string]any
		if err := cmpErr(err, json.Unmarshal([]byte(element), &fields)); err != nil {
			return nil, err
		}
		name, _ := fields["command"].(string)
		delete(fields, "command")
		if err = apply(twin, name, fields, nil); err != nil {
			return nil, err
		}
	}
	return twin, err
}

func cmpErr(errs ...error) error { return errors.Join(errs...) }

func apply(twin *interaction.Interaction, name string, fields map[string]any, by *interaction.Actor) error {
	if by != nil {
		fields["by"] = by
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	command, err := interaction.Decode(name, payload)
	if err != nil {
		return err
	}
	_, err = twin.Apply(command, time.Now())
	return err
}

// verdict is the answer that a command must get.
type verdict struct {
	status       int
	kind, why    string
	state        interaction.State
	legal        []string
	capabilities []string
	sequence     int64
}

// verdictOn asks the twin of an interaction, which it changes, what a command of a caller must get.
func verdictOn(twin *interaction.Interaction, c caller, command, payload string) verdict {
	if !auth.MayCommand(&auth.Caller{Role: c.role}, command) {
		return verdict{status: http.StatusForbidden, kind: "not-permitted", why: "role"}
	}
	if twin.Completed() && !twin.Lingers() {
		return verdict{status: http.StatusConflict, kind: "completed", state: interaction.StateCompleted}
	}
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(payload), &fields); err != nil {
		panic(err)
	}
	err := apply(twin, command, fields, c.actor())
	var illegal *interaction.IllegalError
	var invalid *interaction.InvalidError
	switch {
	case errors.As(err, &illegal):
		v := verdict{status: http.StatusConflict, kind: "illegal-command", why: string(illegal.Why), state: illegal.State, legal: illegal.Legal}
		if illegal.Why == interaction.WhyAgent || illegal.Why == interaction.WhyRole {
			v.status, v.kind = http.StatusForbidden, "not-permitted"
		}
		return v
	case errors.As(err, &invalid):
		return verdict{status: http.StatusUnprocessableEntity, kind: "invalid-payload", why: string(invalid.Why)}
	case err != nil:
		panic(err)
	}
	return verdict{status: http.StatusOK, state: twin.Facts().State, capabilities: capabilitiesOf(twin, c), sequence: twin.Sequence()}
}

func capabilitiesOf(twin *interaction.Interaction, c caller) []string {
	if by := c.actor(); by != nil {
		return twin.CapabilitiesFor(*by)
	}
	return twin.Capabilities()
}

// differs returns how an answer differs from the verdict; nil if it does not.
func (v verdict) differs(a answer) error {
	got := verdict{status: a.Status, kind: a.Problem()}
	got.why, _ = a.Body["why"].(string)
	state, _ := a.Body["state"].(string)
	got.state = interaction.State(state)
	if sequence, ok := a.Body["sequence"].(float64); ok {
		got.sequence = int64(sequence)
	}
	got.legal, got.capabilities = textsOf(a.Body, "legal"), textsOf(a.Body, "capabilities")
	if got.status == v.status && got.kind == v.kind && got.why == v.why && got.state == v.state && got.sequence == v.sequence &&
		slices.Equal(got.legal, v.legal) && slices.Equal(got.capabilities, v.capabilities) {
		return nil
	}
	return fmt.Errorf("want %+v, got %+v: %s", v, got, a.Raw)
}
