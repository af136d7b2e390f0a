package expr

import (
	"strings"

	"cel.dev/cel-go/common/types"
)

// sentGroups are the data elements that only the platform knows: the value is what the
// platform sent under the name. Each line is a name and its description. The names are those
// of the call, session and dialer reports of Engage Voice.
var sentGroups = []struct{ group, lines string }{
	{"Recordings and transcripts", `
recording_url the URL of the recording of the call
sess_recording_url the URL of the recording of this agent's session
sess_agent_perspective_recording_url the URL of the agent's side of a dual-channel recording
recording_id the recording's id
recording_deleted whether the recording was deleted
summary a summary of the call
transcript the transcript of the call`},
	{"The lead or customer", `
extern_id the lead's id in another system
outbound_externid the same, of an outbound call
lead_id the lead's id
lead_phone the lead's number
lead_state where the lead lives
lead_timezone the lead's time zone
lead_passes how often the lead was dialed
lead_extra_data further data of the lead
title a title, such as Dr.
first_name the lead's first name
mid_name the lead's middle name
last_name the lead's last name
suffix a suffix of the name, such as Jr.
address1 the first line of the address
address2 the second line of the address
city the city
state the state
zip the postal code
email the email address
gate_keeper who answers calls for the lead
aux_data1 auxiliary data of the lead
aux_data2 auxiliary data of the lead
aux_data3 auxiliary data of the lead
aux_data4 auxiliary data of the lead
aux_data5 auxiliary data of the lead
aux_phone another number of the lead
aux_greeting a greeting for the lead
aux_external_url a page about the lead
phone the number of the session's other side
caller_id the number that the customer sees
loaded_caller_id the same, as loaded with the lead
is_contact whether the disposition counts as a contact
is_success whether the disposition counts as a success
opt_out whether the customer opted out
ani_city the city of the customer's number
ani_state the state of the customer's number
ani_country_code the country of the customer's number
ani_is_cell whether the customer's number is a mobile one
latitude where the customer is
longitude where the customer is
country_id the country's id
country_code the country's code
country_name the country`},
	{"The campaign and the dialer", `
campaign_id the campaign's id
campaign_name the campaign
campaign_desc a description of the campaign
dial_group_id the dial group's id
dial_group_name the dial group
dial_group_desc a description of the dial group
dial_mode how the campaign dials
dial_type how this call was dialed
dial_dts when it was dialed
dial_duration how long it was dialed
dial_disposition the result of dialing
dial_result the result of dialing
next_dial_time when the lead is dialed next
list_id the lead list's id
list_desc a description of the lead list
list_state the state of the lead list
uploaded_list_description the description with which the lead list was uploaded
upload_date when the lead list was uploaded
loaded_dts when the lead was loaded
pass_number which pass of the list this is
pass_disposition the dialer's result of this pass
outbound_disposition_tracker the dialer's result, as tracked
is_complete whether the lead is completed
is_manual_no_connect whether a manual dial failed
reserved_agent_id the id of the agent the lead is reserved for
reserved_agent_firstname that agent's first name
reserved_agent_lastname that agent's last name
reserved_agent_username that agent's login name
speed_to_lead_first_pass from loading the lead to its first dialing
speed_to_lead_agent_conn from loading the lead to an agent
live_answer_message the message for a person who answers
mach_answer_message the message for a machine that answers
exclude_abandon whether it counts as abandoned
int_prefix the prefix of an international number
int_dest the country that was dialed
int_cost what an international call cost
international_prefix the prefix of an international number
international_destination the country that was dialed
billing_code the code that it is billed to
callback_requested whether a callback was asked for
is_callback whether it is a callback
callback_uii the id of the call that it answers
callback_result the result of the callback`},
	{"Routing", `
gate_desc a description of the queue
gate_group_id the id of the queue's group
group_name the queue's group
dequeue_attempts how often it was offered
next_dequeue_time when it is offered again
priority_queue_event the queue event that had priority
skill_override the skill that was asked for instead
skill_profile_id the id of the agent's skills
source_type where the call came from: a queue, a campaign, an IVR
source_id the id of that
source_name its name
call_source_id the id of the queue or campaign the call came from
call_source_name that queue or campaign
source_app_id the application the call came from
originating_dnis the number that was dialed first
dnis_description a description of that number
visual_ivr_id the IVR's id
visual_ivr_name the IVR
visual_ivr_group_id the id of the IVR's group
visual_ivr_group_name the IVR's group
script_group_id the id of the script's group
script_group_name the script's group
trac_id the tracked number's id
trac_description a description of the tracked number
trac_rule_destination where its rule sent the call
trac_open_rule whether its rule was open
trac_locater_description how its location was found
trac_location_description its location
trac_dest_description a description of its destination
track_group_id the id of the tracked number's group
track_group_name the tracked number's group
cloud_profile_id the cloud route's id
profile_name the cloud route
profile_desc a description of the cloud route
cloud_destination_id the id of the cloud route's destination
cloud_destination_name that destination
cloud_destination_desc a description of that destination
cloud_group_id the id of the cloud route's group
cloud_group_name the cloud route's group
destination_name where the call was sent
destination_desc a description of the destination
media_isci the advertisement the call answers
media_network its network
media_market its market
media_code its code
media_format its format
media_version its version
media_length its length
chat_id the chat's id`},
	{"The session and how it ended", `
session_id which leg of the call this is
session_type what kind of leg this is
call_state the state of the call
term_party who ended it
term_reason why it ended
termination_party who ended it
term_session who ended it, as far as is known
transfer_type the type of the transfer
transfer_disp the result of the transfer
transfer_duration how long it was connected after the transfer
transfer_dial_duration how long the receiver was dialed
transfer_flag whether it was transferred
is_xfer whether it was transferred
is_dequeue_agent whether the agent got it from a queue
is_presented whether it was offered to an agent
is_accepted whether an agent accepted it
is_abandoned whether the customer abandoned it
is_deflected whether it was deflected
is_agent_disposition_complete whether the agent has given a disposition
is_short_call whether it was short
is_long_call whether it was long
is_short_abandon whether the customer abandoned it at once
is_monitoring whether somebody monitors it
pci_compliant whether it was handled as a payment
sla_qualified whether a service level applies
sla_passed whether the service level was kept
sla_time the time that the service level allows
wait_time how long the customer waited
carrier the carrier
account_name the account's name
main_account_id the main account's id
main_account_name the main account's name`},
}

func sentElements() []Element {
	var list []Element
	for _, g := range sentGroups {
		for line := range strings.Lines(strings.TrimSpace(g.lines)) {
			name, about, _ := strings.Cut(strings.TrimSpace(line), " ")
			list = append(list, Element{name, g.group, about, "as sent", "the platform's data", KnownSent, sent(name)})
		}
	}
	return list
}

// ofEvent reads a field of the event.
func ofEvent(name string) reading {
	return func(s *Scope) (string, bool) {
		v, found := s.Event.Fields[name]
		return dataText(v, found)
	}
}

// sent reads what the platform sent under a name: with the command, as user data, or about
// the customer.
func sent(name string) reading {
	return func(s *Scope) (string, bool) {
		for _, m := range []map[string]any{s.Event.Fields, s.View.UserData, s.View.Interaction.Customer} {
			v, found := m[name]
			if t, ok := dataText(v, found); ok {
				return t, true
			}
		}
		return "", false
	}
}

// dataText returns a value that the platform sent as text.
func dataText(v any, found bool) (string, bool) {
	if !found || v == nil {
		return "", false
	}
	if s, ok := v.(string); ok {
		return s, true
	}
	s, err := Text(plain.NativeToValue(v))
	return s, err == nil
}

// plain adapts values of JSON.
var plain = func() provider {
	r, err := types.NewRegistry()
	if err != nil {
		panic("expr: " + err.Error()) // an empty registry always builds
	}
	return provider{r}
}()
