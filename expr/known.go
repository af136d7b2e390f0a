package expr

import (
	"slices"
	"strings"
)

// Known says when a value exists at the earliest.
type Known string

// When values come to be known.
const (
	KnownStart       Known = "start"       // from the start
	KnownQueue       Known = "queue"       // once it was placed in a queue
	KnownDequeue     Known = "dequeue"     // once it has left the queue
	KnownAgent       Known = "agent"       // once it was given to an agent
	KnownPrevious    Known = "previous"    // once another agent has it
	KnownConnect     Known = "connect"     // once the customer talks to somebody
	KnownDisconnect  Known = "disconnect"  // once the customer has left
	KnownDisposition Known = "disposition" // once an agent gave a disposition
	KnownEnd         Known = "end"         // once the interaction is over
	KnownSurvey      Known = "survey"      // once a question was answered
	KnownSegment     Known = "segment"     // in a segment change
	KnownTones       Known = "tones"       // when touch tones were pressed
	KnownQueueEvent  Known = "queue_event" // when a queue event occurs
	KnownFault       Known = "fault"       // at a fault, and in what operators are told
	KnownSent        Known = "sent"        // once the platform has sent it
)

// knownFields are the fields of the schema that do not exist from the start, by
// variable and by variable.field.
var knownFields = map[string]Known{
	"agent":                       KnownAgent,
	"previous_agent":              KnownPrevious,
	"disposition":                 KnownDisposition,
	"survey":                      KnownSurvey,
	"user_data":                   KnownSent,
	"interaction.enqueued_at":     KnownQueue,
	"interaction.dequeued_at":     KnownDequeue,
	"interaction.connected_at":    KnownConnect,
	"interaction.disconnected_at": KnownDisconnect,
	"interaction.ended_at":        KnownEnd,
	"interaction.outcome":         KnownEnd,
	"event.segment":               KnownSegment,
	"event.leg":                   KnownSegment,
	"event.from":                  KnownSegment,
	"event.to":                    KnownSegment,
	"event.call":                  KnownFault,
	"event.class":                 KnownFault,
	"event.delivery":              KnownFault,
	"event.of":                    KnownFault,
}

// Fields lists the declared fields of a variable. One whose data is open, such as
// agent and event, has others as well.
func Fields(variable string) []string {
	for _, v := range variables {
		if v.name != variable {
			continue
		}
		if o, ok := declared[v.kind.TypeName()]; ok {
			return slices.Clone(o.names)
		}
	}
	return nil
}

// KnownFrom is when something that a call uses exists: "agent.id" or, for a data
// element, "#agent_id".
func KnownFrom(use string) Known {
	if name, ok := strings.CutPrefix(use, "#"); ok {
		e, _ := FindElement(name)
		return e.Known
	}
	if known, ok := knownFields[use]; ok {
		return known
	}
	variable, _, _ := strings.Cut(use, ".")
	if known, ok := knownFields[variable]; ok {
		return known
	}
	return KnownStart
}
