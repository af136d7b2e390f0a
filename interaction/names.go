package interaction

import "strings"

// State is the state of an interaction.
type State string

// The states of an interaction; StateCompleted is the only terminal one.
const (
	StateStarted    State = "started"
	StateQueued     State = "queued"
	StateOffered    State = "offered"
	StateDialing    State = "dialing"
	StateHandling   State = "handling"
	StateConsulting State = "consulting"
	StateConference State = "conference"
	StateInWorkbin  State = "in_workbin"
	StateWrapUp     State = "wrap_up"
	StateEngaging   State = "engaging"
	StateComposing  State = "composing"
	StateCompleted  State = "completed"
)

// Outcome is how a completed interaction ended; empty while it is open.
type Outcome string

// The outcomes of a completed interaction.
const (
	OutcomeHandled    Outcome = "handled"
	OutcomeAbandoned  Outcome = "abandoned"
	OutcomeCanceled   Outcome = "canceled"
	OutcomeRejected   Outcome = "rejected"
	OutcomeMissed     Outcome = "missed"
	OutcomeOverflowed Outcome = "overflowed"
	OutcomeNotReached Outcome = "not_reached"
	OutcomeNotEngaged Outcome = "not_engaged"
	OutcomeExpired    Outcome = "expired"
	OutcomeSent       Outcome = "sent"
)

// Channel is the medium of an interaction.
type Channel string

// The channels; email, sms and web are asynchronous ones.
const (
	ChannelInbound      Channel = "inbound"
	ChannelOutbound     Channel = "outbound"
	ChannelCloudRouting Channel = "cloud_routing"
	ChannelTrackNumber  Channel = "track_number"
	ChannelChat         Channel = "chat"
	ChannelEmail        Channel = "email"
	ChannelSMS          Channel = "sms"
	ChannelWeb          Channel = "web"
)

// Leg is the kind of a leg: what a timeline of segments belongs to.
type Leg string

// The three kinds of leg of ECS.
const (
	LegChannel         Leg = "channel"
	LegBusinessProcess Leg = "business_process"
	LegAgent           Leg = "agent"
)

// Segment is what a leg is doing, by its ECS name without the leg.
type Segment string

// The segments of ECS: four that exist on every leg, nine that belong to one,
// and the two of its older pages (handled, abandoned).
const (
	SegmentInteractionStarts Segment = "interaction_starts"
	SegmentOffered           Segment = "offered"
	SegmentHandling          Segment = "handling"
	SegmentInteractionEnds   Segment = "interaction_ends"
	SegmentAgentSelecting    Segment = "agent_selecting"
	SegmentConsulting        Segment = "consulting"
	SegmentInConference      Segment = "in_conference"
	SegmentWrapUp            Segment = "wrap_up"
	SegmentDialing           Segment = "dialing"
	SegmentRejected          Segment = "rejected"
	SegmentOverflow          Segment = "overflow"
	SegmentMissed            Segment = "missed"
	SegmentPreview           Segment = "preview"
	SegmentAbandoned         Segment = "abandoned"
	SegmentHandled           Segment = "handled"
)

// Moment names a moment at which triggers may fire.
type Moment string

// The moments: the four of ECS, those of Engage Voice (their names begin with a channel, and
// momentsOf has them), and Segue's own.
const (
	MomentInteractionStarts Moment = "interaction_starts"
	MomentInteractionEnds   Moment = "interaction_ends"
	MomentInternalTransfer  Moment = "internal_transfer"
	MomentSegmentChange     Moment = "segment_change"
	MomentSurvey            Moment = "survey"
	MomentAgentNeeded       Moment = "agent_needed"
	MomentEngage            Moment = "engage"
	MomentNoEngage          Moment = "noengage"
	MomentEngagementResult  Moment = "engagement_result"
	MomentUserDataChanged   Moment = "user_data_changed"
	MomentScriptSignal      Moment = "script_signal"
	MomentFault             Moment = "fault"
)

// The moments for operators. They belong to the receiver of a call, not to an
// interaction, whose facts are empty then.
const (
	MomentDeliveryFailing   Moment = "operator.delivery_failing"
	MomentDeliveryParked    Moment = "operator.delivery_parked"
	MomentBreakerOpen       Moment = "operator.breaker_open"
	MomentReceiverRecovered Moment = "operator.receiver_recovered"
)

// IsForOperators reports whether the moment is an alert for operators, not one of an interaction.
func (w Moment) IsForOperators() bool { return strings.HasPrefix(string(w), "operator.") }
