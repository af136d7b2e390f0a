package platform

import "github.com/danielgtaylor/huma/v2"

// feedSchema describes one line of a feed.
func feedSchema() *huma.Schema {
	text := func(about string) *huma.Schema { return &huma.Schema{Type: "string", Description: about} }
	return &huma.Schema{
		Type: "object", Required: []string{"interaction", "command"}, AdditionalProperties: true,
		Description: "One line of the feed: a command's payload, and where it goes.",
		Properties: map[string]*huma.Schema{
			"interaction":    text("The id of the interaction."),
			"command":        text("The command; start starts the interaction."),
			"contact_center": text("The contact center of the interaction. Default: that of the request."),
			"event_id":       text("The idempotency key. Default: made from the line."),
		},
	}
}

// feedResultSchema describes one line of the answer.
func feedResultSchema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "One line of the answer.", AnyOf: []*huma.Schema{schemaOf[feedResult](r), schemaOf[feedSummary](r)}}
}

const exampleFeed = `{"interaction":"ixn-1","command":"start","channel":"inbound"}
{"interaction":"ixn-1","command":"place_in_queue","queue":"sales","event_id":"acd-1"}
`

const exampleFeedResults = `{"line":1,"contact_center":"default","interaction":"ixn-1","event_id":"feed-936aaca3b108754bcd35ef06","status":"accepted"}
{"line":2,"contact_center":"default","interaction":"ixn-1","event_id":"acd-1","status":"accepted","answer":{"state":"queued","sequence":2,"revision":2,"capabilities":["offer"]}}
{"summary":{"lines":2,"interactions":1,"accepted":2,"duplicates":0,"rejected":0,"unknown":0}}
`
