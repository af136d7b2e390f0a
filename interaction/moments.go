package interaction

import "slices"

// channels in the order of the design.
var channels = []Channel{
	ChannelInbound, ChannelOutbound, ChannelCloudRouting, ChannelTrackNumber,
	ChannelChat, ChannelEmail, ChannelSMS, ChannelWeb,
}

// Channels lists every channel.
func Channels() []Channel { return slices.Clone(channels) }

// States lists every state.
func States() []State { return slices.Clone(states) }

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeHandled, OutcomeAbandoned, OutcomeCanceled, OutcomeRejected, OutcomeMissed,
		OutcomeOverflowed, OutcomeNotReached, OutcomeNotEngaged, OutcomeExpired, OutcomeSent,
	}
}

// Async says whether the channel is an asynchronous one, where nobody hangs up.
func (c Channel) Async() bool {
	return c == ChannelEmail || c == ChannelSMS || c == ChannelWeb
}

// agentless: what the channel connects is handled without an agent.
func (c Channel) agentless() bool {
	return c == ChannelCloudRouting || c == ChannelTrackNumber
}

// moments are the names under which a channel's moments fire; what it lacks is "".
type moments struct {
	start, connect                        Moment
	queued, dequeue                       Moment
	agentConnect, agentTerm, transferTerm Moment
	end, disposition, queueEvent, dtmf    Moment
	// toAgentOnly: dequeue fires only when it goes to an agent.
	toAgentOnly bool
}

// momentsOf are the slots of Engage Voice (its OpenAPI: Gate, Campaign,
// CloudRouteProfile, TracNumber, ChatQueue). Email, SMS and web have none of them.
var momentsOf = map[Channel]moments{
	ChannelInbound: {
		dequeue: "inbound.dequeue", agentConnect: "inbound.agent_connect", agentTerm: "inbound.agent_term",
		transferTerm: "inbound.transfer_term", end: "inbound.call_end", disposition: "inbound.disposition",
		queueEvent: "inbound.queue_event", dtmf: "inbound.dtmf",
	},
	ChannelOutbound: {
		agentConnect: "outbound.agent_connect", agentTerm: "outbound.agent_term",
		transferTerm: "outbound.transfer_term", end: "outbound.call_end", disposition: "outbound.disposition",
	},
	ChannelCloudRouting: {start: "cloud_routing.start", connect: "cloud_routing.connect", end: "cloud_routing.end"},
	ChannelTrackNumber:  {end: "track_number.call_end"},
	ChannelChat: {
		queued: "chat.new", dequeue: "chat.dequeue", toAgentOnly: true, agentConnect: "chat.agent_connect",
		agentTerm: "chat.agent_term", end: "chat.end", disposition: "chat.disposition", queueEvent: "chat.queue_event",
	},
}

func (r *record) moments() moments { return momentsOf[r.Channel] }

// Whens lists every moment that a command can fire, in the order of the design;
// WhenFault comes of a call instead.
func Whens() []Moment {
	whens := []Moment{MomentInteractionStarts, MomentInteractionEnds, MomentInternalTransfer, MomentSegmentChange}
	for _, channel := range channels {
		m := momentsOf[channel]
		for _, when := range []Moment{
			m.start, m.connect, m.queued, m.dequeue, m.agentConnect, m.agentTerm, m.end, m.disposition, m.transferTerm, m.queueEvent, m.dtmf,
		} {
			if when != "" {
				whens = append(whens, when)
			}
		}
	}
	return append(whens, MomentSurvey, MomentAgentNeeded, MomentEngage, MomentNoEngage, MomentEngagementResult, MomentUserDataChanged, MomentScriptSignal)
}
