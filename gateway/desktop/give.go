package desktop

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"segue/gateway/auth"
	"segue/gateway/desktop/view"
	"segue/gateway/problem"
	"segue/interaction"
)

// fields are the payload of a command.
type fields map[string]any

// command is one command to an interaction, without what the server adds to each.
type command struct {
	name   string
	fields fields
}

// input is what a request of a client means for an interaction. Whether that is legal, the interaction says.
type input func(s *Server, q *request) (command, error)

// giving returns the handler of a request that is one command.
func giving(read input) func(*Server, context.Context, *request) (any, error) {
	return func(s *Server, ctx context.Context, q *request) (any, error) {
		c, err := read(s, q)
		if err != nil {
			return nil, err
		}
		if err := s.give(ctx, q, c); err != nil {
			return nil, err
		}
		return q.echoed(), nil
	}
}

// actsByName are the commands that name the agent if a supervisor gives them.
var actsByName = []string{"accept", "reject", "leave", "hold", "retrieve", "set_disposition"}

// give gives a command to the interaction of a request, and returns when the index shows its notice.
func (s *Server) give(ctx context.Context, q *request, c command) error {
	name, err := q.name(q.found.Interaction)
	if err != nil {
		return err
	}
	by := q.session.actor()
	if !auth.MayCommand(q.session.caller, c.name) {
		return problem.New(problem.NotPermitted, fmt.Sprintf("The role %s may not give the command %s.", by.Role, q.command))
	}
	key, err := q.eventID()
	if err != nil {
		return err
	}
	payload := fields{"event_id": key, "by": by}
	if by.Role != interaction.RoleAgent && slices.Contains(actsByName, c.name) {
		payload["agent"] = by.ID
	}
	for key, value := range c.fields {
		payload[key] = value
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("command %s: %w", c.name, err)
	}
	answer, err := s.options.Sender.Send(ctx, name, c.name, encoded)
	if err != nil {
		return err
	}
	s.options.Index.Await(ctx, name, answer.RunID, answer.Revision)
	return nil
}

func accepting(*Server, *request) (command, error) { return command{name: "accept"}, nil }

func answering(_ *Server, q *request) (command, error) {
	return command{name: "accept"}, q.primaryOnly()
}

func rejecting(_ *Server, q *request) (command, error) {
	reason, err := q.given().text("reason")
	if err != nil || reason == "" {
		return command{name: "reject"}, err
	}
	return command{"reject", fields{"reason": reason}}, nil
}

// completing ends the interaction, or the part of an agent who does not own it.
func completing(_ *Server, q *request) (command, error) {
	if q.found.IsOwner {
		return command{name: "complete"}, nil
	}
	return command{name: "leave"}, nil
}

func consulting(_ *Server, q *request) (command, error) {
	destination, err := q.given().text("destination")
	if err != nil {
		return command{}, err
	}
	agent, err := q.given().text("agent")
	switch {
	case err != nil:
		return command{}, err
	case !isBlank(agent) && !isBlank(destination) && agent != destination:
		return command{}, invalid("data.agent", q.data.Values["agent"], "data has another destination, too; send agent or destination")
	case !isBlank(agent):
		return command{"consult", fields{"to": fields{"agent": agent}}}, nil
	case !isBlank(destination):
		return command{"consult", fields{"to": fields{"number": destination}}}, nil
	}
	return command{}, invalid("data.destination", q.data.Values["destination"], "is missing; send a number, or agent")
}

func transferring(*Server, *request) (command, error) {
	return command{"transfer", fields{"mode": interaction.TransferConsult}}, nil
}

// conferring joins the customer and those who are consulted.
func conferring(_ *Server, q *request) (command, error) {
	if q.found.Channel != view.Telephony {
		return command{}, problem.New(problem.IllegalCommand, "Only an interaction on a channel of type Telephony can be a conference.")
	}
	return command{name: "conference"}, nil
}

func holding(_ *Server, q *request) (command, error) {
	return command{name: "hold"}, q.primaryOnly()
}

func retrieving(_ *Server, q *request) (command, error) {
	return command{name: "retrieve"}, q.primaryOnly()
}

// hangingUp ends the call, or the part of an agent who does not own it. In a consultation it ends that
// alone: it never hangs up on the customer.
func hangingUp(_ *Server, q *request) (command, error) {
	switch {
	case q.found.Conversation != view.PrimaryID:
		return command{name: "retrieve"}, nil
	case q.found.IsOwner:
		return command{name: "disconnect"}, nil
	}
	return command{name: "leave"}, nil
}

// primaryOnly refuses what a consultation cannot do.
func (q *request) primaryOnly() error {
	if q.found.Conversation != view.PrimaryID {
		return problem.New(problem.IllegalCommand, "A consultation can only be hung up, transferred to, or made a conference.")
	}
	return nil
}

const signalParams = 20

// signal gives a signal to the script of the interaction. Two are two, unless they have one request id.
func (s *Server) signal(ctx context.Context, q *request) (any, error) {
	given := fields{}
	names := []string{"name"}
	for n := range signalParams {
		names = append(names, "p"+strconv.Itoa(n+1))
	}
	for _, name := range names {
		value, err := q.given().text(name)
		if err != nil {
			return nil, err
		}
		if !isNone(q.data.Values[name]) {
			given[name] = value
		}
	}
	if err := s.give(ctx, q, command{"script_signal", given}); err != nil {
		return nil, err
	}
	return view.Nothing{}, nil
}

func (q *request) isConference() bool { return strings.HasSuffix(q.command, ".consultconference") }
