package interaction

import (
	"cmp"
	"fmt"
	"strings"
)

// message binds the fields of a command's payload to its typed body, so that sender,
// schema and state machine cannot disagree.
type message struct {
	fields shape
	// anyOf lists fields of which at least one must be given.
	anyOf []string
	// notBoth lists fields that exclude each other.
	notBoth []string
	body    func(payload) any
}

var (
	optionalAgent  = field{name: "agent", kind: kindAgent, about: "default: the agent who gives the command, else the owner"}
	actingAgent    = field{name: "agent", kind: kindAgent, about: "which agent; default: the agent who gives the command"}
	optionalReason = field{name: "reason", kind: kindText, about: "the reason, in words"}
	requiredQueue  = field{name: "queue", kind: kindName, required: true, about: "name the queue"}
	userDataField  = field{name: "user_data", kind: kindObject, required: true, about: "send an object of keys and values"}
	signalName     = field{name: "name", kind: kindName, required: true, about: "name the signal"}
)

// signalParams are the parameters of a script signal (HIS: "p1..p20, only those items that have values").
var signalParams = func() []string {
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("p%d", i+1)
	}
	return names
}()

// withParams adds p1 … p20 to a shape; an empty one is a value, too.
func withParams(s ...field) shape {
	for _, name := range signalParams {
		s = append(s, field{name: name, kind: kindText})
	}
	return s
}

var messages = map[string]message{
	"place_in_queue": {
		fields: shape{requiredQueue},
		body:   func(p payload) any { return PlaceInQueue{Queue: p.text("queue")} },
	},
	"offer": {
		fields: shape{
			{name: "agent", kind: kindAgent, about: "the agent to whom it is offered"},
			{name: "agents", kind: kindAgents, about: "a group: the first to accept gets it"},
			{name: "preview", kind: kindBool, about: "the agent sees it before the customer is dialed"},
			{name: "timeout", kind: kindDuration, about: "instead of the configured offer timeout"},
		},
		anyOf: []string{"agent", "agents"}, notBoth: []string{"agent", "agents"},
		body: func(p payload) any {
			offer := Offer{Agents: p.agents("agents"), Preview: p.flag("preview"), Timeout: p.duration("timeout")}
			if agent := p.agent("agent"); agent != nil {
				offer.Agents = []Agent{*agent}
			}
			return offer
		},
	},
	"accept": {fields: shape{actingAgent}, body: func(p payload) any { return Accept{Agent: p.agent("agent")} }},
	"reject": {
		fields: shape{actingAgent, optionalReason, {name: "final", kind: kindBool, about: "end the interaction as rejected"}},
		body: func(p payload) any {
			return Reject{Agent: p.agent("agent"), Reason: p.text("reason"), Final: p.flag("final")}
		},
	},
	"dial": {
		fields: shape{optionalAgent, {name: "destination", kind: kindName, about: "the number or address that is dialed"}},
		body:   func(p payload) any { return Dial{Agent: p.agent("agent"), Destination: p.text("destination")} },
	},
	"connect":    {},
	"disconnect": {fields: shape{optionalReason}},
	"abandon":    {fields: shape{optionalReason}},
	"consult": {
		fields: shape{{name: "to", kind: kindTarget, required: true, about: `send {"agent": …} or {"number": …}`}},
		body:   func(p payload) any { return Consult{To: p.target("to")} },
	},
	"conference": {
		fields: shape{
			{name: "agent", kind: kindAgent, about: "the agent who joins"},
			{name: "party", kind: kindName, about: "an outside party that joins"},
		},
		body: func(p payload) any { return Conference{Agent: p.agent("agent"), Party: p.text("party")} },
	},
	"leave":    {fields: shape{actingAgent}, body: byAgent},
	"hold":     {fields: shape{optionalAgent}, body: byAgent},
	"retrieve": {fields: shape{optionalAgent}, body: byAgent},
	"transfer": {
		fields: shape{
			{name: "to", kind: kindTarget, about: "where it goes; may be left out when mode is consult"},
			{name: "mode", kind: kindEnum(TransferSingleStep, TransferOffer, TransferConsult), about: "how the agent gets it; default single_step"},
			{name: "wrap_up", kind: kindBool, about: "the agent who transfers wraps up"},
		},
		body: func(p payload) any {
			return Transfer{To: p.target("to"), Mode: TransferMode(p.text("mode")), WrapUp: p.flag("wrap_up")}
		},
	},
	"place_in_workbin": {
		fields: shape{{name: "workbin", kind: kindWorkbin, required: true, about: "name the workbin"}, optionalAgent},
		body:   func(p payload) any { return PlaceInWorkbin{Workbin: p["workbin"], Agent: p.agent("agent")} },
	},
	"set_disposition": {
		fields: shape{
			{name: "agent", kind: kindAgent, about: "whose disposition; also of past agents"},
			{name: "disposition", kind: kindDisposition, about: "as in complete"},
			{name: "code", kind: kindCode, about: "the code, instead of disposition"},
			{name: "notes", kind: kindText},
		},
		anyOf: []string{"code", "disposition"}, notBoth: []string{"code", "disposition"},
		body: func(p payload) any {
			given := Disposition{Code: p.text("code")}
			if whole := p.disposition("disposition"); whole != nil {
				given = *whole
			}
			return SetDisposition{Code: given.Code, Notes: cmp.Or(given.Notes, p.text("notes")), Agent: p.agent("agent")}
		},
	},
	"attach_user_data": {fields: shape{userDataField}, body: userData},
	"update_user_data": {fields: shape{userDataField}, body: userData},
	"delete_user_data": {
		fields: shape{
			{name: "keys", kind: kindKeys, about: "the keys to delete"},
			{name: "user_data", kind: kindObject, about: "an object whose inner keys are deleted; its values are ignored"},
		},
		anyOf: []string{"keys", "user_data"},
		body: func(p payload) any {
			return DeleteUserData{Keys: p.texts("keys"), UserData: p.object("user_data")}
		},
	},
	"set_attributes": {
		fields: shape{
			{name: "native_id", kind: kindName}, {name: "business_process", kind: kindName},
			{name: "ani", kind: kindName}, {name: "dnis", kind: kindName},
			{name: "customer", kind: kindObject, about: "replaces the customer"},
			{name: "comment", kind: kindText},
		},
		body: func(p payload) any {
			return SetAttributes{
				NativeID: p.given("native_id"), BusinessProcess: p.given("business_process"),
				ANI: p.given("ani"), DNIS: p.given("dnis"), Comment: p.given("comment"), Customer: p.object("customer"),
			}
		},
	},
	"survey": {
		fields: shape{{name: "answers", kind: kindObject, required: true, about: "send an object of questions and answers"}},
		body:   func(p payload) any { return Survey{Answers: p.object("answers")} },
	},
	"queue_event": {fields: shape{{name: "event", kind: kindName, required: true, about: "name the queue event"}}},
	"dtmf":        {fields: shape{{name: "digits", kind: kindDigits, required: true, about: "send the touch tones"}}},
	"script_signal": {
		fields: withParams(field{name: "name", kind: kindName, about: "the name of the signal"}),
	},
	"signal_added": {
		fields: withParams(signalName, field{name: "tooltip", kind: kindText}),
		body:   func(p payload) any { return p.signal() },
	},
	"signal_removed": {fields: shape{signalName}, body: func(p payload) any { return p.signal() }},
	"engage": {
		fields: shape{{name: "ixnProfile", kind: kindObject, required: true, about: "send the notification's parameters as an object"}},
		body:   func(p payload) any { return Engage{Profile: p.object("ixnProfile")} },
	},
	"noengage": {
		fields: shape{{name: "cancelData", kind: kindObject, required: true, about: "send the cancellation's parameters as an object"}},
		body:   func(p payload) any { return NoEngage{CancelData: p.object("cancelData")} },
	},
	"engagement_result": {
		fields: shape{
			{name: "result", kind: kindEnum("accepted", "declined", "timeout", "failed", "rejected"), required: true, about: "send accepted, declined, timeout or failed"},
			{name: "agent", kind: kindAgent, about: "who gets it if the result is accepted"},
			{name: "queue", kind: kindName, about: "where it waits if the result is accepted"},
			{name: "channel", kind: kindEnum("chat", "webcallback"), about: "what the visitor chose; default: from ixnProfile, else chat"},
			{name: "attempt", kind: kindCount, about: "the attempt that was answered: the result of another one than the open attempt is refused"},
			{name: "started_at", kind: kindTime, about: "the started_at of the interaction that was answered: one of another start of this id is refused"},
		},
		body: func(p payload) any {
			attempt, _ := p["attempt"].(float64)
			return EngagementResult{
				Result: p.text("result"), Agent: p.agent("agent"), Queue: p.text("queue"), Channel: p.text("channel"),
				Attempt: int(attempt), Started: p.time("started_at"),
			}
		},
	},
	"reply": {
		fields: shape{{name: "all", kind: kindBool, about: "reply to all"}, {name: "user_data", kind: kindObject, about: "user data of the draft"}},
		body:   func(p payload) any { return Reply{All: p.flag("all"), UserData: p.object("user_data")} },
	},
	"complete": {
		fields: shape{optionalAgent, {name: "disposition", kind: kindDisposition, about: "that of the agent"}},
		body: func(p payload) any {
			return Complete{Agent: p.agent("agent"), Disposition: p.disposition("disposition")}
		},
	},
	"cancel": {
		fields: shape{optionalAgent, optionalReason},
		body:   func(p payload) any { return Cancel{Agent: p.agent("agent"), Reason: p.text("reason")} },
	},
	"segment_change": {
		fields: shape{
			{name: "segment", kind: kindEnum(reportable()...), required: true, about: "name the segment, such as handling with leg agent"},
			{name: "leg", kind: kindEnum(LegChannel, LegBusinessProcess, LegAgent), about: "for interaction_starts, offered, handling, interaction_ends"},
			{name: "agent", kind: kindAgent}, {name: "queue", kind: kindName}, {name: "party", kind: kindName},
		},
		body: func(p payload) any {
			segment, leg, _ := strings.Cut(p.text("segment"), ".")
			if leg == "" {
				leg = p.text("leg")
			}
			return SegmentReport{Segment: Segment(segment), Leg: Leg(leg), Agent: p.agent("agent"), Queue: p.text("queue"), Party: p.text("party")}
		},
	},
}

func byAgent(p payload) any { return ByAgent{Agent: p.agent("agent")} }

func userData(p payload) any { return UserData{UserData: p.object("user_data")} }

// startMessage is the payload of start.
var startMessage = message{
	fields: shape{
		{name: "id", kind: kindID, required: true, about: "name the interaction"},
		{name: "contact_center", kind: kindID, required: true, about: "name the contact center"},
		{name: "channel", kind: kindEnum(channels...), required: true, about: "name the channel"},
		{name: "direction", kind: kindEnum("inbound", "outbound", "internal"), about: "default: the channel's own, else inbound"},
		{name: "business_process", kind: kindName}, {name: "queue", kind: kindName},
		{name: "agent", kind: kindAgent, about: "the agent to whom it is assigned from the start"},
		{name: "destination", kind: kindName}, {name: "native_id", kind: kindName}, {name: "parent", kind: kindID},
		{name: "ani", kind: kindName}, {name: "dnis", kind: kindName},
		{name: "customer", kind: kindObject}, {name: "user_data", kind: kindObject},
		{name: "reopen", kind: kindBool, about: "lets the id of a completed interaction start again"},
		{name: "draft", kind: kindBool, about: "starts as an outbound draft of agent, in state composing, as reply does"},
	},
	body: func(p payload) any {
		envelope := p.envelope()
		return Start{
			ID: p.text("id"), ContactCenter: p.text("contact_center"), Channel: Channel(p.text("channel")),
			Direction: p.text("direction"), BusinessProcess: p.text("business_process"), Queue: p.text("queue"),
			Agent: p.agent("agent"), Destination: p.text("destination"), NativeID: p.text("native_id"), Parent: p.text("parent"),
			ANI: p.text("ani"), DNIS: p.text("dnis"), Customer: p.object("customer"), UserData: p.object("user_data"),
			Reopen: p.flag("reopen"), Draft: p.flag("draft"), At: envelope.At, SourceSequence: envelope.SourceSequence,
			EventID: envelope.EventID, By: envelope.By, Fields: p.ownFields(),
		}
	},
}
