package expr

import (
	"slices"
	"strings"
)

// Known is when a value exists at the earliest.
type Known string

// The times at which values exist.
const (
	KnownStart       Known = "start"       // from the start
	KnownQueue       Known = "queue"       // once the interaction is placed in a queue
	KnownDequeue     Known = "dequeue"     // once the interaction has left the queue
	KnownAgent       Known = "agent"       // once an agent is assigned
	KnownPrevious    Known = "previous"    // once another agent is assigned
	KnownConnect     Known = "connect"     // once the customer is connected
	KnownDisconnect  Known = "disconnect"  // once the customer has left
	KnownDisposition Known = "disposition" // once an agent has given a disposition
	KnownEnd         Known = "end"         // once the interaction has ended
	KnownSurvey      Known = "survey"      // once a question is answered
	KnownSegment     Known = "segment"     // in a segment change
	KnownTones       Known = "tones"       // when touch tones are pressed
	KnownQueueEvent  Known = "queue_event" // when a queue event occurs
	KnownFault       Known = "fault"       // at a fault, and in alerts
	KnownSent        Known = "sent"        // once the platform has sent it
)

// knownFields are the fields of the schema that do not exist from the start, by variable or
// variable.field.
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

// Fields returns the declared fields of a variable. A variable with open data, such as agent
// or event, can have others.
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

// KnownFrom returns when something that a call uses exists at the earliest: "agent.id" or,
// for a data element, "#agent_id".
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
