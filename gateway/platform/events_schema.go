package platform

import "github.com/danielgtaylor/huma/v2"

// eventsSchema describes the events of a stream, each by its name and its data.
func eventsSchema(r huma.Registry) *huma.Schema {
	event := func(name *huma.Schema, data *huma.Schema) *huma.Schema {
		return &huma.Schema{Type: "object", Required: []string{"event", "data"}, Properties: map[string]*huma.Schema{
			"id":    {Type: "string", Description: "Where the stream goes on after this event."},
			"event": name, "data": data,
		}}
	}
	named := func(name string) *huma.Schema { return &huma.Schema{Extensions: map[string]any{"const": name}} }
	return &huma.Schema{
		Type: "array", Description: "Server-sent events. The data of each is JSON.",
		Items: &huma.Schema{AnyOf: []*huma.Schema{
			event(&huma.Schema{Type: "string", Description: "The moment, or change."}, schemaOf[liveEvent](r)),
			event(named(whenAgentState), schemaOf[liveAgent](r)),
			event(named(eventState), schemaOf[liveState](r)),
			event(named(eventGap), schemaOf[liveGap](r)),
			event(named(eventResync), schemaOf[liveResync](r)),
		}},
	}
}

const exampleEvents = `retry: 2000

id: 5c1f8e0a77d2-1041-999999

id: 5c1f8e0a77d2-1042-2
event: segment_change
data: {"contact_center":"default","interaction":"ixn-1","sequence":7,"revision":4,"when":"segment_change","at":"2026-01-31T08:00:00Z","command":"accept","segment":"handling","leg":"agent","from":"offered","to":"handling","agent":{"id":"ann","name":"Ann"},"fields":{}}

`
