package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

func (a *app) signalCommand() *cobra.Command {
	var contactCenter, eventID string
	var update, raw, all bool
	c := &cobra.Command{
		Use:   "signal NAME ID [JSON]",
		Short: "Send a command to an interaction",
		Long: `Send the command NAME to the interaction ID. Give the payload as JSON inline, as a file's name, or - for stdin
(default {}).

By default the command is sent as a signal: it succeeds when Temporal has stored the signal. An illegal signal changes
nothing, and ` + "`segue show ID`" + ` lists it as rejected. With --update the command is sent as an update, and the result is
the interaction's answer: its new state and the commands that are legal in it and matter most. An illegal update is refused.

NAME "commands" takes an array of at most 1,000 objects, each with its "command". They are applied in order, and each is
judged by itself: with --update, each has its own result; else ` + "`segue show ID`" + ` lists each illegal one as rejected. The
event_id of an element identifies it.

A malformed payload is refused before it is sent. Use --raw to send it nevertheless.

Exit codes: 0 sent, or applied; 2 the command line is invalid, or the argument is not JSON; 3 the interaction does not
exist; 4 the command is malformed or illegal, or the interaction is completed; 5 Temporal or a worker does not answer.

Commands:
` + wrapped(interaction.Commands(), 120),
		Example: `  segue signal offer ixn-1 '{"agent":{"id":"bea","name":"Bea"}}'
  segue signal accept ixn-1 '{"agent":"bea"}' --update
  segue signal commands ixn-1 '[{"command":"hold"},{"command":"retrieve"}]' --update --json
  segue signal commands ixn-1 '[{"command":"disconnect","event_id":"e7"},{"command":"complete","event_id":"e8"}]'`,
		Args: between(2, 3, "a command's name, an interaction and an optional payload"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := parseName(args[1], contactCenter)
			if err != nil {
				return err
			}
			payload := json.RawMessage("{}")
			if len(args) == 3 {
				if payload, err = a.payload(args[2]); err != nil {
					return err
				}
			}
			if args[0] == contract.SignalCommands && !update && eventID != "" {
				return usage("--event-id: an array that is sent as a signal has none; give each command its event_id")
			}
			m := message{name: args[0], to: n, eventID: eventID, payload: payload, all: all}
			if err := m.prepare(raw, update); err != nil {
				return err
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			switch {
			case update && m.name == contract.UpdateCommands:
				return a.sendArray(c, s, m)
			case update:
				return a.sendUpdate(c, s, m)
			}
			return a.sendSignal(c, s, m)
		},
	}
	contactCenterFlag(c, &contactCenter)
	c.Flags().BoolVar(&update, "update", false, "send the command as an update and print the answer")
	c.Flags().StringVar(&eventID, "event-id", "", "idempotency key: a command with an event id that was applied before is not applied again")
	c.Flags().BoolVar(&all, "all", false, "with --update, list every command that is legal then")
	c.Flags().BoolVar(&raw, "raw", false, "send the payload even if it is malformed")
	return c
}

// message is one command to send.
type message struct {
	name    string
	to      client.Name
	eventID string
	payload json.RawMessage
	// all lists every command that is legal then.
	all bool
}

// prepare sets the event id and, unless raw is set, checks the payload. The commands of an update are not checked: the
// answer has a result for each.
func (m *message) prepare(raw, update bool) error {
	if m.name == contract.SignalCommands {
		if raw || update {
			return nil
		}
		return checkArray(m.payload)
	}
	if m.eventID != "" {
		with, err := withDefault(m.payload, "event_id", m.eventID)
		if err != nil {
			return err
		}
		m.payload = with
	}
	if raw {
		return nil
	}
	command, err := interaction.Decode(m.name, m.payload)
	if err != nil {
		return err
	}
	m.eventID = command.EventID
	return nil
}

// checkArray returns an error if the payload is not an array of valid commands.
func checkArray(payload []byte) error {
	var items []struct {
		Command string `json:"command"`
	}
	var payloads []json.RawMessage
	if json.Unmarshal(payload, &items) != nil || json.Unmarshal(payload, &payloads) != nil || items == nil {
		return usage("%s: give an array of objects, each with its \"command\"", contract.SignalCommands)
	}
	if len(items) > contract.CommandsLimit {
		return usage("%s: give at most %d in one array, not %d", contract.SignalCommands, contract.CommandsLimit, len(items))
	}
	for i, item := range items {
		if _, err := interaction.Decode(item.Command, payloads[i]); err != nil {
			return fmt.Errorf("command %d: %w", i+1, err)
		}
	}
	return nil
}

func (a *app) sendSignal(c *cobra.Command, s *session, m message) error {
	if err := s.Signal(c.Context(), m.to, m.name, m.payload); err != nil {
		return err
	}
	return a.print(map[string]any{
		"sent": true, "contact_center": m.to.ContactCenter, "id": m.to.ID, "command": m.name, "event_id": m.eventID,
	}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "sent %s to %s\n", m.name, m.to)
		return err
	})
}

func (a *app) sendUpdate(c *cobra.Command, s *session, m message) error {
	ctx, cancel := limited(c.Context())
	defer cancel()
	answer, err := s.Update(ctx, m.to, m.name, m.eventID, m.payload)
	if err != nil {
		return err
	}
	return a.print(answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s\n", m.to, describeAnswer(answer, m.all))
		return err
	})
}

// sendArray sends an array of commands as one update. It returns exit code 4 if any of them was refused.
func (a *app) sendArray(c *cobra.Command, s *session, m message) error {
	ctx, cancel := limited(c.Context())
	defer cancel()
	results, err := s.Commands(ctx, m.to, m.eventID, m.payload)
	if err != nil {
		return err
	}
	err = a.print(results, func(w io.Writer) error {
		for i, result := range results {
			text := describeAnswer(result.Answer, m.all)
			if result.Error != nil {
				text = "refused: " + result.Error.Message
			}
			if _, err := fmt.Fprintf(w, "%s: %d: %s\n", m.to, i+1, text); err != nil {
				return err
			}
		}
		return nil
	})
	refused := slices.ContainsFunc(results, func(r contract.CommandResult) bool { return r.Error != nil })
	if err == nil && refused {
		return &codedError{exitRefused}
	}
	return err
}

func describeAnswer(answer contract.Answer, all bool) string {
	text := fmt.Sprintf("%s, event %d", answer.State, answer.Sequence)
	if answer.Duplicate {
		text += ", applied before"
	}
	if len(answer.Capabilities) > 0 {
		text += "; legal now: " + legalNow(answer.Capabilities, answer.State, all)
	}
	return text
}

// legalNow lists the legal commands that lead to another state, hold and retrieve, or all of them.
func legalNow(capabilities []string, state interaction.State, all bool) string {
	few := slices.DeleteFunc(slices.Clone(capabilities), func(command string) bool {
		return !all && !interaction.Moves(command, state) && command != "hold" && command != "retrieve"
	})
	if others := len(capabilities) - len(few); others > 0 {
		few = append(few, fmt.Sprintf("%d that keep the state (--all lists them)", others))
	}
	return strings.Join(few, ", ")
}
