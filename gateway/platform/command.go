package platform

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"segue/client"
	"segue/contract"
	"segue/gateway/body"
	"segue/gateway/commands"
	"segue/gateway/problem"
	"segue/interaction"
)

// commandInput is a request with one command.
type commandInput struct {
	Targeted
	Key     string `header:"Idempotency-Key" doc:"The key of the command, at most 255 bytes. A repeat with the same key changes nothing. Default: the payload's event_id, else one that is made." maxLength:"255" example:"order-17-accept"`
	payload *body.Object
}

// Resolve reads the payload and gives it the command's key.
func (in *commandInput) Resolve(ctx huma.Context) []error {
	payload, err := readObjectBody(ctx, maxCommand)
	if err != nil {
		return []error{err}
	}
	key, err := keyOf(in.Key, madeKeyIn(ctx), payload)
	if err != nil {
		return []error{err}
	}
	ctx.SetHeader(keyHeader, key)
	in.payload = payload
	return nil
}

// answered is the answer of a command.
type answered struct {
	Status int
	Body   contract.Answer
}

var commandProblems = []string{
	problem.IllegalCommand, problem.OutOfOrder, problem.Completed, problem.NotFound, problem.UnsupportedMediaType,
	problem.TooLarge, problem.Overloaded,
}

// commandRoutes registers one route for each command, so that each has a schema of its own, and one
// for names that no command has.
func commandRoutes(a *api) {
	schemas := interaction.Schemas()
	for _, name := range interaction.Commands() {
		register(a, route{
			id: "command_" + name, method: http.MethodPost, path: "/interactions/{id}/commands/" + name, tag: "commands",
			summary: "Send the command " + name, about: aboutCommand(name), status: http.StatusOK,
			also:     map[int]string{http.StatusAccepted: "The command has a source_sequence that is ahead, and waits for the commands before it."},
			problems: commandProblems, body: payloadSchema(a.huma.OpenAPI().Components.Schemas, name, schemas[name]),
			example: exampleOfPayload(name), keyed: true,
		}, func(ctx context.Context, in *commandInput) (*answered, error) { return a.command(ctx, name, in) })
	}
	a.mux.HandleFunc("POST "+Prefix+"/interactions/{id}/commands/{name}", func(w http.ResponseWriter, r *http.Request) {
		p := problem.New(problem.UnknownCommand, fmt.Sprintf("there is no command %.64q", r.PathValue("name")))
		p.Why = string(interaction.WhyUnknown)
		w.Header().Set(keyHeader, cmp.Or(r.Header.Get(keyHeader), madeKey()))
		problem.Write(w, p)
	})
}

func aboutCommand(name string) string {
	return fmt.Sprintf("Sends %s to the interaction and waits until the interaction has applied or refused it.", name)
}

func (a *api) command(ctx context.Context, name string, in *commandInput) (*answered, error) {
	// A contact_center that is no text is a field of the platform's own.
	contactCenter, _ := in.payload.Text("contact_center")
	s, n, err := in.targetIn(ctx, contactCenter)
	if err != nil {
		return nil, named(err, name)
	}
	if err := s.mayGive(name); err != nil {
		return nil, err
	}
	if err := s.stamp(in.payload); err != nil {
		return nil, err
	}
	answer, err := a.Sender.Send(ctx, n, name, in.payload.Encode())
	if err != nil {
		return nil, named(err, name)
	}
	a.await(ctx, s, n, answer)
	return &answered{Status: statusOf(answer.Answer), Body: shown(answer.Answer)}, nil
}

// named adds the command to the problem of its refusal.
func named(err error, command string) error {
	p := problem.Of(err)
	if p.Command != "" || p.Type == problem.Internal || p.Type == problem.Unavailable {
		return err
	}
	p.Command = command
	return failure{p}
}

func statusOf(answer contract.Answer) int {
	if answer.Waiting {
		return http.StatusAccepted
	}
	return http.StatusOK
}

// shown returns the answer with a list of capabilities in any case.
func shown(answer contract.Answer) contract.Answer {
	if answer.Capabilities == nil {
		answer.Capabilities = []string{}
	}
	return answer
}

// await waits until the lists show what a command of an agent has changed, the draft of a reply too.
// Nobody else waits: their changes are in the lists a little later.
func (a *api) await(ctx context.Context, s scope, n client.Name, answer commands.Answer) {
	if answer.Waiting || a.Index == nil {
		return
	}
	see := a.Index.Answered
	if s.isAgent() {
		see = func(n client.Name, runID string, revision int64) { a.Index.Await(ctx, n, runID, revision) }
	}
	see(n, answer.RunID, answer.Revision)
	if answer.Child != "" {
		see(client.Name{ContactCenter: n.ContactCenter, ID: answer.Child}, "", 1)
	}
}

// result is the outcome of one command of an array: an answer, or the problem of its refusal.
type result struct {
	answer contract.Answer
	failed *problem.Problem
}

// MarshalJSON writes the answer, or {"error": problem}.
func (r result) MarshalJSON() ([]byte, error) {
	if r.failed != nil {
		return json.Marshal(map[string]*problem.Problem{"error": r.failed})
	}
	return json.Marshal(r.answer)
}

// exampleOfPayload returns an example of a command's payload; nil for a command without fields.
func exampleOfPayload(name string) any {
	if example := interaction.Example(name); example != nil {
		return example
	}
	return nil
}
