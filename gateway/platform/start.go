package platform

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"segue/client"
	"segue/contract"
	"segue/gateway/body"
	"segue/gateway/problem"
)

// startInput is a request that starts an interaction.
type startInput struct {
	Scoped
	Key      string `header:"Idempotency-Key" doc:"The key of the start. A repeat with the same key finds the interaction. Default: the payload's event_id, else one that is made." maxLength:"255" example:"call-4711-start"`
	payload  *body.Object
	elements []*body.Object
	key      string
}

// Resolve reads the start, takes its commands out, and gives it its key.
func (in *startInput) Resolve(ctx huma.Context) []error {
	payload, err := readObjectBody(ctx, maxArray)
	if err != nil {
		return []error{err}
	}
	if array := payload.Take("commands"); len(array) > 0 && string(array) != "null" && string(array) != "[]" {
		if in.elements, err = readArray(array); err != nil {
			return []error{err}
		}
	}
	if size := len(payload.Encode()); size > maxCommand {
		return []error{fail(problem.TooLarge, fmt.Sprintf("the start has %d bytes without its commands; send at most %d", size, maxCommand))}
	}
	if in.key, err = keyOf(in.Key, madeKeyIn(ctx), payload); err != nil {
		return []error{err}
	}
	ctx.SetHeader(keyHeader, in.key)
	pointer := "/header/" + keyHeader
	if in.Key == "" {
		pointer = "/event_id"
	}
	if err := checkElementKeys(in.key, pointer, in.elements); err != nil {
		return []error{err}
	}
	in.payload = payload
	return nil
}

// started is the answer of a start.
type started struct {
	Status   int
	Location string `header:"Location" doc:"The path of the interaction."`
	Body     startedBody
}

type startedBody struct {
	ID        string          `json:"id" doc:"The id of the interaction." example:"ixn-1"`
	Duplicate bool            `json:"duplicate,omitempty" doc:"The interaction was started before with the same key."`
	Answer    contract.Answer `json:"answer" doc:"The state after the start and its commands."`
	Results   []result        `json:"results,omitempty" doc:"The outcomes of the commands, in order."`
}

// startRoutes registers the start of interactions.
func startRoutes(a *api) {
	register(a, route{
		id: "start_interaction", method: http.MethodPost, path: "/interactions", tag: "commands",
		summary: "Start an interaction",
		about: "Starts an interaction, and applies its first commands before all others. Without an id, the id is made from the contact center and the " +
			"key. A refused command is an error in results and does not stop the start.",
		status: http.StatusCreated, also: map[int]string{http.StatusOK: "The interaction was started before with the same key."},
		problems: []string{problem.AlreadyExists, problem.UnsupportedMediaType, problem.TooLarge, problem.Overloaded},
		body:     startSchema(a.huma.OpenAPI().Components.Schemas), keyed: true,
		example: map[string]any{
			"id": "ixn-1", "channel": "inbound", "ani": "+4930123456",
			"commands": []any{map[string]any{"command": "place_in_queue", "queue": "sales"}},
		},
	}, a.start)
}

func (a *api) start(ctx context.Context, in *startInput) (*started, error) {
	s, n, err := a.nameStart(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.mayGive("start"); err != nil {
		return nil, err
	}
	if err := s.stamp(in.payload); err != nil {
		return nil, err
	}
	payload := in.payload.Encode()
	batch := s.batch(in.key, in.elements)
	done, err := a.Sender.Start(ctx, n, payload, batch.sent)
	if err != nil {
		return nil, named(err, "start")
	}
	batch.fill(a, ctx, done.Results)
	a.await(ctx, s, n, done.Answer)
	out := &started{
		Status: http.StatusCreated, Location: Prefix + "/interactions/" + url.PathEscape(n.ID),
		Body: startedBody{ID: n.ID, Duplicate: done.Duplicate, Answer: shown(done.Answer.Answer), Results: batch.results},
	}
	if done.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

// nameStart returns who starts the interaction, and its name, which it sets in the payload.
func (a *api) nameStart(ctx context.Context, in *startInput) (scope, client.Name, error) {
	contactCenter, ok := in.payload.Text("contact_center")
	if !ok {
		return scope{}, client.Name{}, invalidAt("/contact_center", "contact_center: not a string; send text in quotes")
	}
	s, err := in.list(ctx, contactCenter)
	if err != nil {
		return s, client.Name{}, err
	}
	id, ok := in.payload.Text("id")
	if !ok {
		return s, client.Name{}, invalidAt("/id", "id: not a string; send text in quotes")
	}
	if id == "" {
		id = idOf(s.contactCenter, in.key)
	}
	n := client.Name{ContactCenter: s.contactCenter, ID: id}
	if err := n.Check(); err != nil {
		return s, n, invalidAt("/id", err.Error())
	}
	if err := in.payload.Set("contact_center", n.ContactCenter); err != nil {
		return s, n, err
	}
	return s, n, in.payload.Set("id", n.ID)
}
