package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"segue/contract"
	"segue/gateway/body"
	"segue/gateway/commands"
	"segue/gateway/problem"
	"segue/interaction"
)

// arrayInput is a request with an array of commands.
type arrayInput struct {
	Targeted
	Key      string `header:"Idempotency-Key" doc:"The key of the array. A command without an event_id gets this key, a # and its number, from 0; both have at most 255 bytes." maxLength:"255" example:"batch-9"`
	elements []*body.Object
	key      string
}

// Resolve reads the array.
func (in *arrayInput) Resolve(ctx huma.Context) []error {
	in.key = in.Key
	if in.key == "" {
		in.key = madeKeyIn(ctx)
	}
	data, err := readBody(ctx, maxArray)
	if err == nil {
		in.elements, err = readArray(data)
	}
	if err == nil {
		err = checkElementKeys(in.key, "/header/"+keyHeader, in.elements)
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func readArray(data []byte) ([]*body.Object, error) {
	elements, err := body.ReadObjects(data)
	switch {
	case err != nil:
		return nil, fail(problem.Malformed, err.Error())
	case len(elements) == 0:
		return nil, invalidAt("", "the array has no command")
	case len(elements) > contract.CommandsLimit:
		return nil, fail(problem.TooLarge, fmt.Sprintf("the array has %d commands; send at most %d", len(elements), contract.CommandsLimit))
	}
	return elements, nil
}

// results is the answer of an array.
type results struct{ Body []result }

// arrayRoutes registers arrays of commands for one interaction.
func arrayRoutes(a *api) {
	register(a, route{
		id: "send_commands", method: http.MethodPost, path: "/interactions/{id}/commands", tag: "commands",
		summary: "Send several commands",
		about: "Sends up to 1,000 commands in order. The answer has one element for each command, in the same order: its answer, or its error. " +
			"A refused command stops nothing. Send the whole array again after a 503, with the same key.",
		status: http.StatusOK, problems: []string{problem.NotFound, problem.Completed, problem.UnsupportedMediaType, problem.TooLarge, problem.Overloaded},
		body: arraySchema(), example: []any{map[string]any{"command": "accept", "agent": "ann"}, map[string]any{"command": "hold"}}, keyed: true,
	}, a.array)
}

func (a *api) array(ctx context.Context, in *arrayInput) (*results, error) {
	s, n, err := in.target(ctx)
	if err != nil {
		return nil, err
	}
	batch := s.batch(in.key, in.elements)
	if len(batch.sent) == 0 {
		return &results{Body: batch.results}, nil
	}
	answers, err := a.Sender.SendAll(ctx, n, batch.sent)
	if err != nil {
		return nil, err
	}
	batch.fill(a, ctx, answers)
	for _, answer := range awaited(answers) {
		a.await(ctx, s, n, answer)
	}
	return &results{Body: batch.results}, nil
}

// batch is an array of commands of which some may be refused before they are sent.
type batch struct {
	results []result
	sent    []json.RawMessage
	// places are the places of the sent commands in the array.
	places []int
}

// batch prepares an array. A command that the caller may not give has its error already.
func (s scope) batch(key string, elements []*body.Object) *batch {
	b := &batch{results: make([]result, len(elements))}
	for i, element := range elements {
		if err := s.prepare(key, i, element); err != nil {
			b.results[i].failed = problem.Of(err)
			continue
		}
		b.sent = append(b.sent, element.Encode())
		b.places = append(b.places, i)
	}
	return b
}

// prepare checks one command of an array, and sets its event_id and by.
func (s scope) prepare(key string, number int, element *body.Object) error {
	name, ok := element.Text("command")
	if !ok || name == "" {
		return invalidAt("/command", "command: is missing; name the command")
	}
	if !interaction.IsCommand(name) {
		p := problem.New(problem.UnknownCommand, fmt.Sprintf("there is no command %.64q", name))
		p.Why = string(interaction.WhyUnknown)
		return failure{p}
	}
	if element.Size > maxCommand {
		return fail(problem.TooLarge, fmt.Sprintf("the command has %d bytes; send at most %d", element.Size, maxCommand))
	}
	if err := s.mayGive(name); err != nil {
		return err
	}
	if err := elementKey(key, number, element); err != nil {
		return err
	}
	return s.stamp(element)
}

// fill adds the outcomes of the sent commands.
func (b *batch) fill(a *api, ctx context.Context, answers []commands.Result) {
	for i, answer := range answers {
		if i >= len(b.places) {
			return
		}
		place := &b.results[b.places[i]]
		if answer.Err == nil {
			place.answer = answer.Answer.Answer
			continue
		}
		place.failed = problem.Of(a.failed(ctx, answer.Err))
	}
}

// awaited returns the answers that lists must show: that of the last command that was applied, whose
// revision is the highest, and those that have started drafts.
func awaited(answers []commands.Result) []commands.Answer {
	var found []commands.Answer
	for _, one := range slices.Backward(answers) {
		isApplied := one.Err == nil && !one.Answer.Waiting
		if isApplied && (len(found) == 0 || one.Answer.Child != "") {
			found = append(found, one.Answer)
		}
	}
	return found
}
