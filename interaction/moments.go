package interaction

import "slices"

// channels is every channel, in the order of the documentation.
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

// Async reports whether the channel is asynchronous: nobody hangs up on it.
func (c Channel) Async() bool {
	return c == ChannelEmail || c == ChannelSMS || c == ChannelWeb
}

// agentless reports whether interactions of the channel are handled without an agent.
func (c Channel) agentless() bool {
	return c == ChannelCloudRouting || c == ChannelTrackNumber
}

// moments are the names of a channel's moments; "" for those it does not have.
type moments struct {
	start, connect                        Moment
	queued, dequeue                       Moment
	agentConnect, agentTerm, transferTerm Moment
	end, disposition, queueEvent, dtmf    Moment
	// toAgentOnly: dequeue fires only if an agent gets the interaction.
	toAgentOnly bool
}

// momentsOf are the events of Engage Voice (its OpenAPI: Gate, Campaign,
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

// AllMoments lists every moment that a command can fire, in the order of the documentation.
// A call fires MomentFault, no command does.
func AllMoments() []Moment {
	all := []Moment{MomentInteractionStarts, MomentInteractionEnds, MomentInternalTransfer, MomentSegmentChange}
	for _, channel := range channels {
		m := momentsOf[channel]
		for _, moment := range []Moment{
			m.start, m.connect, m.queued, m.dequeue, m.agentConnect, m.agentTerm, m.end, m.disposition, m.transferTerm, m.queueEvent, m.dtmf,
		} {
			if moment != "" {
				all = append(all, moment)
			}
		}
	}
	return append(all, MomentSurvey, MomentAgentNeeded, MomentEngage, MomentNoEngage, MomentEngagementResult, MomentUserDataChanged, MomentScriptSignal)
}
