package expr_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"segue/expr"
	"segue/interaction"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// knownText describes when an element has a value.
var knownText = map[expr.Known]string{
	expr.KnownStart:       "from the start",
	expr.KnownQueue:       "once placed in a queue",
	expr.KnownDequeue:     "once it has left the queue",
	expr.KnownAgent:       "once an agent is assigned",
	expr.KnownConnect:     "once the customer is connected",
	expr.KnownDisconnect:  "once the customer has left",
	expr.KnownDisposition: "once an agent has given a disposition",
	expr.KnownSurvey:      "once a question is answered",
	expr.KnownTones:       "when touch tones are pressed",
	expr.KnownQueueEvent:  "when a queue event occurs",
	expr.KnownSent:        "once the platform has sent it",
}

// TestTheListOfElementsIsTheCode compares docs/data-elements.md with the code.
// SEGUE_WRITE_DOCS=1 writes the list instead.
func TestTheListOfElementsIsTheCode(t *testing.T) {
	const file, begin, end = "../docs/data-elements.md", "holds it equal -->\n", "<!-- /elements -->"
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(content), begin)
	require.True(t, found)
	shown, tail, found := strings.Cut(rest, end)
	require.True(t, found)
	var want strings.Builder
	group := ""
	for _, e := range expr.Elements() {
		if e.Group != group {
			group = e.Group
			fmt.Fprintf(&want, "\n### %s\n\n| element | what it is | written as | taken from | has a value |\n|---|---|---|---|---|\n", group)
		}
		require.Contains(t, knownText, e.Known, e.Name)
		unit := e.Unit
		if unit == "" {
			unit = "text"
		}
		fmt.Fprintf(&want, "| `#%s#` | %s | %s | %s | %s |\n", e.Name, e.About, unit, e.From, knownText[e.Known])
	}
	want.WriteString("\n")
	if os.Getenv("SEGUE_WRITE_DOCS") == "1" {
		require.NoError(t, os.WriteFile(file, []byte(head+begin+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), shown, "write it again: SEGUE_WRITE_DOCS=1 go test -run TestTheListOfElementsIsTheCode ./expr")
}

// documented are the names in the public documentation of Engage Voice: the web-services
// guide and its example, the list of inbound elements, the columns of calls and of call
// sessions, the dialer's result report; and names that known receivers accept.
const documented = `
uii agent_duration agent_externid agent_id agent_location agent_phone agent_team agent_username agent_wait_time agent_wrap_time ani_last4 ani_npa ani_nxx
ani dnis call_start duration recording_url sess_agent_perspective_recording_url
account_id account_name call_timestamp call_date visual_ivr_id trac_id cloud_profile_id campaign_id campaign_name campaign_desc gate_id gate_name gate_desc
source_type lead_id outbound_disposition source_app_id originating_dnis aux_phone enqueue_time dequeue_time call_state priority_queue_event skill_override
next_dequeue_time dequeue_attempts recording_deleted opt_out sla_qualified sla_passed is_short_call is_long_call is_short_abandon dial_type call_type
agent_notes pci_compliant call_result is_presented agent_first_name agent_last_name is_agent_disposition_complete gate_group_id group_name trac_description
trac_rule_destination callback_requested is_callback callback_uii callback_result profile_name profile_desc cloud_destination_id destination_name
destination_desc media_isci media_network media_market media_code media_format media_version media_length sla_time latitude longitude ani_country_code
ani_state agent_disposition outbound_externid main_account_name main_account_id ani_is_cell trac_open_rule trac_locater_description
trac_location_description ani_city trac_dest_description dial_group_id dial_group_name dial_group_desc billing_code dnis_description caller_id
live_answer_message mach_answer_message list_id pass_number is_complete uploaded_list_description reserved_agent_id lead_state next_dial_time lead_timezone
title mid_name suffix city state zip gate_keeper email aux_data1 aux_data2 aux_data3 aux_data4 aux_data5 aux_external_url aux_greeting loaded_dts list_desc
reserved_agent_firstname reserved_agent_lastname reserved_agent_username address1 address2 first_name last_name is_contact is_success is_xfer xfer_dest
dial_mode country_id country_name country_code list_state int_cost international_prefix international_destination speed_to_lead_first_pass
speed_to_lead_agent_conn external_agent_id agent_login_id session_id dial_duration is_abandoned is_accepted is_deflected is_manual_no_connect
exclude_abandon agent_group_id agent_group_name script_group_id script_group_name track_group_id track_group_name visual_ivr_group_id visual_ivr_group_name
cloud_group_id cloud_group_name lead_extra_data pass_disposition outbound_disposition_tracker visual_ivr_name
session_type is_monitoring on_hold call_dts term_party term_reason is_dequeue_agent transfer_flag skill_profile_id dial_dts dial_disposition carrier
wrap_time username team dial_result source_id source_name phone cloud_destination_name cloud_destination_desc wait_time
lead_phone lead_passes extern_agent_id loaded_caller_id upload_date term_session int_prefix int_dest transfer_phone transfer_disp transfer_duration
transfer_type transfer_dial_duration
call_id call_source_id call_source_name queue_duration call_duration
call_direction agent_extern_id extern_id notes summary queue_id sess_duration`

func TestEveryDocumentedNameIsAnElement(t *testing.T) {
	for _, name := range strings.Fields(documented) {
		_, ok := expr.FindElement(name)
		assert.True(t, ok, name)
	}
	seen := map[string]bool{}
	for _, e := range expr.Elements() {
		require.False(t, seen[e.Name], "%s is listed twice", e.Name)
		seen[e.Name] = true
		require.NotEmpty(t, e.About, e.Name)
	}
	for _, name := range []string{"", "nope", "survey_", "ANI"} {
		_, ok := expr.FindElement(name)
		assert.False(t, ok, name)
	}
	assert.Equal(t, "agent_notes", expr.ClosestElement("agnet_notes"))
}

var began = time.Date(2020, 4, 22, 10, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

// ended is a call that waited half a minute in the queue. Agent a1 took it and transferred it
// to a2, the customer ended it, and a2 has given a disposition.
func ended() *expr.Scope {
	end := after(200)
	a2 := &interaction.Agent{ID: "a2", Name: "Ada King Lovelace", Fields: map[string]any{"username": "ada", "agent_team": "red", "extern_id": "x-2", "location": "Ulm"}}
	return &expr.Scope{
		View: &interaction.View{
			Interaction: interaction.Facts{ID: "i-1", NativeID: "native-1", ContactCenter: "acme", Direction: "inbound", Queue: "sales", ANI: "+1 (650) 555-0123", DNIS: "+18005550100",
				State: interaction.StateCompleted, Outcome: interaction.OutcomeHandled, Customer: map[string]any{"extern_id": "c-9", "zip": "89073"}, Destination: "+1800",
				StartedAt: began, EnqueuedAt: after(10), DequeuedAt: after(40), ConnectedAt: after(45), DisconnectedAt: after(150), EndedAt: &end},
			Agent: a2, UserData: map[string]any{"recording_url": "https://r.example.com/1.wav", "call_state": "ENDED", "outbound_disposition": "ANSWER"},
			Disposition: &interaction.Disposition{Code: "SOLD", Notes: "two boxes", Agent: "a2", At: after(170)},
			Survey:      map[string]any{"q1": 5.0, "survey_why": "price"},
			Durations:   interaction.Durations{Queue: 30.4, Offer: 5, Handle: 105, Hold: 7.5, WrapUp: 30, Total: 200},
		},
		Event: &interaction.Event{Moment: "interaction_ends", At: end, Queue: "sales", Agent: a2,
			Session: &interaction.Session{ConnectedAt: after(100), EndedAt: after(150)}},
	}
}

func TestElementsReadTheirFacts(t *testing.T) {
	for name, want := range map[string]string{
		"uii": "native-1", "call_id": "native-1", "account_id": "acme", "ani": "+1 (650) 555-0123", "ani_npa": "650", "ani_nxx": "555", "ani_last4": "0123",
		"dnis": "+18005550100", "call_direction": "INBOUND", "call_type": "INBOUND", "call_start": "2020-04-22 10:00:00.0000", "call_date": "2020-04-22",
		"call_end": "2020-04-22 10:02:30.0000", "call_duration": "150", "duration": "150", "on_hold": "8", "call_result": "Connected",
		"gate_id": "sales", "gate_name": "sales", "queue_id": "sales", "enqueue_time": "2020-04-22 10:00:10.0000", "dequeue_time": "2020-04-22 10:00:40.0000", "queue_duration": "30",
		"agent_id": "a2", "agent_name": "Ada King Lovelace", "agent_first_name": "Ada", "agent_last_name": "King Lovelace", "agent_username": "ada", "username": "ada",
		"agent_team": "red", "agent_externid": "x-2", "external_agent_id": "x-2", "agent_location": "Ulm", "agent_duration": "105", "sess_duration": "50",
		"agent_wrap_time": "20", "agent_disposition": "SOLD", "agent_notes": "two boxes", "outbound_disposition": "ANSWER", "recording_url": "https://r.example.com/1.wav",
		"extern_id": "c-9", "zip": "89073", "call_state": "ENDED", "survey_q1": "5", "survey_why": "price", "survey_results": `{"q1":5,"survey_why":"price"}`,
		"summary": "", "agent_phone": "", "agent_wait_time": "", "dtmf": "", "queue_event": "", "survey_q2": "", "transfer_phone": "",
	} {
		e, ok := expr.FindElement(name)
		require.True(t, ok, name)
		got, found := e.Text(ended())
		assert.Equal(t, want, got, name)
		assert.Equal(t, want != "", found, name)
	}
}

func TestElementsInOtherSituations(t *testing.T) {
	get := func(name string, change func(*expr.Scope)) string {
		s := ended()
		change(s)
		e, ok := expr.FindElement(name)
		require.True(t, ok)
		text, found := e.Text(s)
		require.Equal(t, text != "", found)
		return text
	}
	facts := func(change func(*interaction.Facts)) func(*expr.Scope) {
		return func(s *expr.Scope) { change(&s.View.Interaction) }
	}
	event := func(change func(*interaction.Event)) func(*expr.Scope) {
		return func(s *expr.Scope) { change(s.Event) }
	}
	lasting := facts(func(f *interaction.Facts) {
		f.Outcome, f.EndedAt, f.DisconnectedAt = "", nil, time.Time{}
	})
	assert.Equal(t, "", get("call_end", lasting))
	assert.Equal(t, "200", get("call_duration", lasting), "the duration so far")
	assert.Equal(t, "", get("call_result", lasting))
	wrapping := facts(func(f *interaction.Facts) { f.Outcome, f.EndedAt = "", nil })
	assert.Equal(t, "Connected", get("call_result", wrapping), "at the call's end the outcome is not known yet")
	for outcome, want := range map[interaction.Outcome]string{"abandoned": "Abandoned", "overflowed": "Deflected", "rejected": "Deflected", "not_reached": "Abandoned", "expired": "Abandoned"} {
		assert.Equal(t, want, get("call_result", facts(func(f *interaction.Facts) { f.Outcome, f.ConnectedAt = outcome, time.Time{} })), outcome)
	}

	assert.Equal(t, "+1800", get("ani", facts(func(f *interaction.Facts) { f.ANI, f.Direction = "", "outbound" })), "the customer of an outbound call")
	assert.Equal(t, "", get("ani", facts(func(f *interaction.Facts) { f.ANI = "" })))
	assert.Equal(t, "", get("ani_npa", facts(func(f *interaction.Facts) { f.ANI = "12345" })))
	assert.Equal(t, "i-1", get("uii", facts(func(f *interaction.Facts) { f.NativeID = "" })))

	requeued := event(func(e *interaction.Event) {
		e.Moment, e.Queue = "inbound.dequeue", "first"
		e.Fields = map[string]any{"enqueued_at": "2020-04-22T10:00:01.5Z", "dequeued_at": "2020-04-22T10:00:10Z"}
	})
	assert.Equal(t, "first", get("gate_name", requeued))
	assert.Equal(t, "2020-04-22 10:00:01.5000", get("enqueue_time", requeued))
	assert.Equal(t, "2020-04-22 10:00:10.0000", get("dequeue_time", requeued))
	assert.Equal(t, "", get("enqueue_time", event(func(e *interaction.Event) { e.Queue = "first" })), "the time of another queue is not used")

	assert.Equal(t, "100", get("sess_duration", event(func(e *interaction.Event) { e.Session.EndedAt = time.Time{} })), "the duration so far")
	assert.Equal(t, "", get("sess_duration", event(func(e *interaction.Event) { e.Session = nil })))
	assert.Equal(t, "20", get("agent_wrap_time", event(func(e *interaction.Event) { e.Agent = &interaction.Agent{ID: "a1"} })), "since the call's end")
	assert.Equal(t, "0", get("agent_wrap_time", func(s *expr.Scope) { s.View.Disposition.At = after(120) }), "given during the call")
	assert.Equal(t, "", get("agent_wrap_time", func(s *expr.Scope) { s.View.Disposition = nil }))
	assert.Equal(t, "SOLD", get("outbound_disposition", func(s *expr.Scope) {
		delete(s.View.UserData, "outbound_disposition")
		s.View.Interaction.Direction = "outbound"
	}))
	assert.Equal(t, "12#", get("dtmf", event(func(e *interaction.Event) { e.Fields = map[string]any{"digits": "12#"} })))
	assert.Equal(t, "PLAY", get("queue_event", event(func(e *interaction.Event) { e.Fields = map[string]any{"event": "PLAY"} })))
	assert.Equal(t, "+1800", get("transfer_phone", event(func(e *interaction.Event) { e.Moment = "inbound.transfer_term" })))
	assert.Equal(t, "", get("agent_id", func(s *expr.Scope) { s.Event.Agent, s.View.Agent = nil, nil }))
	assert.Equal(t, "42", get("account_id", event(func(e *interaction.Event) { e.Fields = map[string]any{"account_id": 42.0} })))
}

func TestKnownFrom(t *testing.T) {
	for use, want := range map[string]expr.Known{
		"interaction.id": expr.KnownStart, "agent.team": expr.KnownAgent, "disposition.code": expr.KnownDisposition, "survey": expr.KnownSurvey,
		"interaction.outcome": expr.KnownEnd, "event.from": expr.KnownSegment, "event.at": expr.KnownStart, "#agent_notes": expr.KnownDisposition,
		"#summary": expr.KnownSent, "#survey_q": expr.KnownSurvey, "user_data.x": expr.KnownSent, "previous_agent.id": expr.KnownPrevious,
	} {
		assert.Equal(t, want, expr.KnownFrom(use), use)
	}
}
