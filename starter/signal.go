package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

func (a *app) signalCommand() *cobra.Command {
	var contactCenter, eventID string
	var update, raw bool
	c := &cobra.Command{
		Use:   "signal NAME ID [JSON]",
		Short: "Send a command to an interaction",
		Long: `Send the command NAME to the interaction ID: as a signal, which is done when Temporal has it, or with
--update as an update, which prints what the interaction answers. JSON is the payload: inline, a file's name,
or - for stdin; without it, it is {}.

With --update the name "commands" takes an array of objects, each with its "command", applied in order.

A payload that is malformed is refused here already (exit code 4); --raw sends it all the same. A signal that
the interaction finds illegal changes nothing, and ` + "`segue show ID`" + ` lists it; an update says so (exit code 4).

Commands: ` + strings.Join(interaction.Commands(), ", ") + `.`,
		Example: `  segue signal offer c1 '{"agent":{"id":"bea","name":"Bea"}}'
  segue signal accept c1 '{"agent":"bea"}' --update
  segue signal commands c1 '[{"command":"hold"},{"command":"retrieve"}]' --update --json`,
		Args: between(2, 3, "a command's name, an interaction, and its payload"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := name(args[1], contactCenter)
			if err != nil {
				return err
			}
			payload := json.RawMessage("{}")
			if len(args) == 3 {
				if payload, err = a.payload(args[2]); err != nil {
					return err
				}
			}
			m := message{name: args[0], to: n, eventID: eventID, payload: payload}
			if err := m.prepare(raw); err != nil {
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
	c.Flags().BoolVar(&update, "update", false, "send an update and print the answer")
	c.Flags().StringVar(&eventID, "event-id", "", "idempotency key: what was applied with it is not applied again")
	c.Flags().BoolVar(&raw, "raw", false, "send also what is malformed")
	return c
}

// message is one command on its way.
type message struct {
	name    string
	to      client.Name
	eventID string
	payload json.RawMessage
}

// prepare settles the event id and looks at the payload's form.
func (m *message) prepare(raw bool) error {
	if m.eventID != "" && m.name != contract.UpdateCommands {
		with, err := withDefault(m.payload, "event_id", m.eventID)
		if err != nil {
			return err
		}
		m.payload = with
	}
	if raw || m.name == contract.UpdateCommands {
		return nil
	}
	command, err := interaction.Decode(m.name, m.payload)
	if err != nil {
		return err
	}
	m.eventID = command.EventID
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
		_, err := fmt.Fprintf(w, "%s: %s\n", m.to, describeAnswer(answer))
		return err
	})
}

// sendArray exits with "refused" when any command of the array was.
func (a *app) sendArray(c *cobra.Command, s *session, m message) error {
	ctx, cancel := limited(c.Context())
	defer cancel()
	results, err := s.Commands(ctx, m.to, m.eventID, m.payload)
	if err != nil {
		return err
	}
	refused := false
	err = a.print(results, func(w io.Writer) error {
		for i, result := range results {
			text := describeAnswer(result.Answer)
			if result.Error != nil {
				text = "refused: " + result.Error.Message
			}
			if _, err := fmt.Fprintf(w, "%s: %d: %s\n", m.to, i+1, text); err != nil {
				return err
			}
		}
		return nil
	})
	for _, result := range results {
		refused = refused || result.Error != nil
	}
	if err == nil && refused {
		return &codedError{exitRefused}
	}
	return err
}

func describeAnswer(answer contract.Answer) string {
	text := fmt.Sprintf("%s, event %d", answer.State, answer.Sequence)
	if answer.Duplicate {
		text += ", applied before"
	}
	if len(answer.Capabilities) > 0 {
		text += "; legal now: " + strings.Join(answer.Capabilities, ", ")
	}
	return text
}
