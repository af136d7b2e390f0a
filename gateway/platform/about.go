package platform

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// about describes the fields of the domain's types, which know no OpenAPI.
var about = map[string]map[string]string{
	"Answer": {
		"state": "The state after the command.", "sequence": "The number of the interaction's last event.",
		"revision":     "The number of the interaction's last change.",
		"capabilities": "The commands that are legal now for who gave the command. Of a large array, only the last answer has them.",
		"duplicate":    "A command with this key was applied before; this one changed nothing.",
		"waiting":      "The command has a source_sequence that is ahead, and is judged when the commands before it have arrived.",
		"child":        "The id of the draft that reply has started.",
		"attempt":      "The number of the attempt to engage the visitor that engage has opened.",
	},
	"State": {
		"id": "The id of the interaction.", "contact_center": "The contact center of the interaction.",
		"agent": "The agent who has the interaction.", "previous_agent": "The agent who had it before.",
		"participants": "Who takes part, besides agents to whom it is offered.", "offered_to": "The agents to whom it is offered.",
		"capabilities": "The commands that are legal now for who asks.", "revision": "The number of the last change.",
		"sequence": "The number of the last event.", "run_id": "The run of the workflow that has answered.",
		"offered_until": "When the open offer expires.", "engaged_until": "When the invitation to the visitor expires.",
		"late_until":  "Until when a completed interaction accepts disposition, survey and user data.",
		"undelivered": "How many deliveries are neither delivered nor discarded.", "rejected_count": "How many signals were refused.",
		"duplicates": "How many commands were repeats.", "runs": "How many runs the workflow has had.", "children": "The ids of the drafts that replies have started.",
		"ended_by": "What ended the interaction.", "user_data": "The data that the platform and agents have attached.",
		"gaps": "How often the interaction went on without numbered commands that did not arrive.", "missing": "The last of these numbers.",
	},
	"Span": {
		"segment": "The segment.", "leg": "The leg that is or was in it.", "from": "The segment before it.", "agent": "The id of the leg's agent.",
		"queue": "The queue of the leg.", "start": "When the leg entered the segment.", "end": "When it left; absent while it is in it.",
	},
	"DeliveryRecord": {
		"id": "What the receiver sees as webhook-id.", "call": "The configured call.", "when": "The moment that caused the delivery.",
		"sequence": "The number of the event.", "status": "waiting, attempting, in_lane, delivered, parked or discarded.",
		"code": "The HTTP status of the last attempt.", "class": "The class of the last attempt.", "at": "When the last attempt ended.",
		"why": "The last failure in words.", "answer": "The beginning of the response to the last failed attempt.",
		"version": "The version of the configuration.", "event_at": "When the event happened.", "due": "When the delivery is tried again.",
		"can_rerender": "The delivery can be rendered again.", "attempts": "The last attempts.", "sent": "How many attempts there were.",
		"discarded": "When and by whom the delivery was discarded.",
	},
	"Rejected": {"command": "The refused command.", "event_id": "Its key.", "reason": "Why it was refused.", "at": "When it was refused."},
}

// explain adds the descriptions to the schemas of the document.
func explain(schemas map[string]*huma.Schema) {
	for name, fields := range about {
		for field, text := range fields {
			property := schemas[name].Properties[field]
			if property == nil {
				panic(fmt.Sprintf("%s has no field %s", name, field)) // cannot happen: every test makes the document
			}
			if property.Ref != "" {
				property = &huma.Schema{AllOf: []*huma.Schema{{Ref: property.Ref}}}
				schemas[name].Properties[field] = property
			}
			property.Description = text
		}
	}
}
