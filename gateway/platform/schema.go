package platform

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"segue/client/lanes"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
	"segue/interaction/intake"
)

// The types below describe types of the domain, which knows no OpenAPI.
type (
	// agentSchema also has all other fields that the platform sent.
	agentSchema struct {
		ID   string `json:"id" doc:"The id of the agent." example:"ann"`
		Name string `json:"name,omitempty" example:"Ann"`
	}
	// signalSchema also has those of p1 to p20 that are set.
	signalSchema struct {
		Name    string `json:"name" doc:"The name of the signal. The parameters p1 to p20 that are set are beside it." example:"upsell"`
		Tooltip string `json:"tooltip,omitempty"`
	}
	problemShown struct{}
	stateName    string
	channelName  string
	outcomeName  string
)

// Schema refers to the one schema of problems.
func (problemShown) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/Problem"}
}

// Schema lists the states.
func (stateName) Schema(huma.Registry) *huma.Schema { return valuesOf(interaction.States()) }

// Schema lists the channels.
func (channelName) Schema(huma.Registry) *huma.Schema { return valuesOf(interaction.Channels()) }

// Schema lists the outcomes.
func (outcomeName) Schema(huma.Registry) *huma.Schema { return valuesOf(interaction.Outcomes()) }

// valuesOf describes a text with these values.
func valuesOf[T ~string](values []T) *huma.Schema {
	s := &huma.Schema{Type: "string"}
	for _, value := range values {
		s.Enum = append(s.Enum, string(value))
	}
	return s
}

// Schema describes the outcome of one command of an array.
func (result) Schema(r huma.Registry) *huma.Schema {
	failed := &huma.Schema{Type: "object", Required: []string{"error"}, Properties: map[string]*huma.Schema{"error": {Ref: "#/components/schemas/Problem"}}}
	return &huma.Schema{AnyOf: []*huma.Schema{schemaOf[contract.Answer](r), failed}}
}

// Schema describes an interaction of a list.
func (listItem) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{schemaOf[summary](r), schemaOf[contract.State](r)}}
}

func schemaOf[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// nameSchema names the schema of a type in the document.
func nameSchema(t reflect.Type, hint string) string {
	for named, as := range map[reflect.Type]string{
		reflect.TypeFor[lanes.Failure](): "LaneFailure", reflect.TypeFor[bulkBody](): "RedeliverRequest", reflect.TypeFor[bulkResult](): "RedeliverResult",
		reflect.TypeFor[redeliverBody](): "RedeliverOne",
		reflect.TypeFor[startedBody]():   "Started", reflect.TypeFor[acceptedBody](): "Accepted", reflect.TypeFor[sessionBody](): "Session",
		reflect.TypeFor[liveEvent](): "Event", reflect.TypeFor[liveState](): "EventState", reflect.TypeFor[liveGap](): "EventGap", reflect.TypeFor[liveResync](): "EventResync",
		reflect.TypeFor[feedResult](): "FeedResult", reflect.TypeFor[feedSummary](): "FeedSummary", reflect.TypeFor[feedCounts](): "FeedCounts",
		reflect.TypeFor[agentSchema](): "Agent", reflect.TypeFor[signalSchema](): "Signal",
		reflect.TypeFor[interaction.Session](): "Contact", reflect.TypeFor[intake.Gap](): "MissingCommands",
	} {
		if t == named {
			return as
		}
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// shareSchemas puts the schemas that the routes refer to by name under components.
func shareSchemas(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[interaction.Agent](), reflect.TypeFor[agentSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[interaction.Signal](), reflect.TypeFor[signalSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[interaction.State](), reflect.TypeFor[stateName]())
	r.RegisterTypeAlias(reflect.TypeFor[interaction.Channel](), reflect.TypeFor[channelName]())
	r.RegisterTypeAlias(reflect.TypeFor[interaction.Outcome](), reflect.TypeFor[outcomeName]())
	r.RegisterTypeAlias(reflect.TypeFor[problem.Problem](), reflect.TypeFor[problemShown]())
	r.Map()["Problem"] = problemSchema()
	r.Map()["Command"] = elementSchema()
}

// problemSchema describes every error.
func problemSchema() *huma.Schema {
	text := func(about string) *huma.Schema { return &huma.Schema{Type: "string", Description: about} }
	list := func(about string, items *huma.Schema) *huma.Schema {
		return &huma.Schema{Type: "array", Description: about, Items: items}
	}
	return &huma.Schema{
		Type: "object", Description: "An error, as RFC 9457 describes it.", Required: []string{"type", "title", "status"}, AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"type": text("What went wrong, for programs: urn:segue: and the type."), "title": text("The same in words."),
			"status": {Type: "integer", Description: "The HTTP status."}, "detail": text("What went wrong this time, for people."),
			"command": text("The command that was refused."), "state": text("The state in which the command is not legal."),
			"legal": list("The commands that are legal for the caller now.", &huma.Schema{Type: "string"}),
			"why":   text("The reason of the refusal: state, needs, agent, role, order, missing, invalid, too_large or unknown."),
			"errors": list("What is wrong with the body or a parameter.", &huma.Schema{
				Type: "object", Required: []string{"pointer", "detail"},
				Properties: map[string]*huma.Schema{
					"pointer": text("A JSON pointer into the body; /query/…, /path/… or /header/… for a parameter."), "detail": text("What is wrong there."),
				},
			}),
		},
	}
}

// exampleOf returns an example of a problem.
func exampleOf(kind string) any {
	p := problem.New(kind, "")
	switch kind {
	case problem.IllegalCommand:
		p.Detail, p.Command, p.State, p.Why = "hold is not legal in state queued", "hold", "queued", string(interaction.WhyState)
		p.Legal = []string{"offer", "accept"}
	case problem.InvalidPayload:
		p.Detail = "place_in_queue: queue: is missing; name the queue"
		p.Errors = []problem.Pointer{{Pointer: "/queue", Detail: "is missing; name the queue"}}
	case problem.NotFound:
		p.Detail = "No such interaction: check its id and its contact center, or start it."
	}
	return p
}

// raw returns a schema from JSON Schema text.
func raw(schema json.RawMessage) *huma.Schema {
	var fields map[string]any
	if err := json.Unmarshal(schema, &fields); err != nil {
		panic(fmt.Errorf("schema of a payload: %w", err)) // cannot happen: a test writes the document
	}
	delete(fields, "$schema") // the document's dialect is the same
	delete(fields, "$id")     // references are relative to the document
	opened(fields)
	return &huma.Schema{Extensions: fields}
}

// opened says of every object what is so without saying: it may have more fields. Generated clients
// would otherwise take them for mistakes.
func opened(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, hasProperties := s["properties"].(map[string]any); hasProperties && s["type"] == "object" {
			s["additionalProperties"] = true
		}
		for _, inner := range s {
			opened(inner)
		}
	case []any:
		for _, inner := range s {
			opened(inner)
		}
	}
}

// payloadSchema puts the schema of a command's payload under components and returns a reference.
func payloadSchema(r huma.Registry, name string, schema json.RawMessage) *huma.Schema {
	component := pascal(name) + "Payload"
	r.Map()[component] = raw(schema)
	return &huma.Schema{Ref: "#/components/schemas/" + component}
}

// startSchema is the payload of start; the gateway adds what it may lack, and takes its commands out.
func startSchema(r huma.Registry) *huma.Schema {
	start := raw(interaction.Schemas()["start"])
	start.Extensions["required"] = []string{"channel"}
	properties, _ := start.Extensions["properties"].(map[string]any)
	properties["commands"] = map[string]any{
		"type": "array", "maxItems": contract.CommandsLimit, "description": "The first commands.",
		"items": map[string]any{"$ref": "#/components/schemas/Command"},
	}
	r.Map()["StartPayload"] = start
	return &huma.Schema{Ref: "#/components/schemas/StartPayload"}
}

// elementSchema is one command of an array: one of the payloads, with the name of its command.
func elementSchema() *huma.Schema {
	names := interaction.Commands()
	slices.Sort(names)
	element := &huma.Schema{Description: "One command of an array: its name, and the fields of its payload."}
	for _, name := range names {
		element.OneOf = append(element.OneOf, &huma.Schema{AllOf: []*huma.Schema{
			{Type: "object", Required: []string{"command"}, Properties: map[string]*huma.Schema{"command": {Extensions: map[string]any{"const": name}}}},
			{Ref: "#/components/schemas/" + pascal(name) + "Payload"},
		}})
	}
	return element
}

func arraySchema() *huma.Schema {
	least, most := 1, contract.CommandsLimit
	return &huma.Schema{Type: "array", MinItems: &least, MaxItems: &most, Items: &huma.Schema{Ref: "#/components/schemas/Command"}}
}

// pascal returns a wire name as the name of a type.
func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// securitySchemes are the credentials of the gateway.
func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "An API key, or a JWT of a configured issuer."},
		"apiKey":  {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "An API key."},
		"basic":   {Type: "http", Scheme: "basic", Description: "A user and a password. Only POST /session accepts it, unless no authentication is configured."},
		"session": {Type: "apiKey", In: "cookie", Name: auth.PlatformCookie, Description: "The cookie of POST /session. Requests that change something need X-CSRF-TOKEN."},
	}
}
