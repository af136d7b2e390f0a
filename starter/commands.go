package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"segue/interaction"
)

func (a *app) commandsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "commands [NAME…]",
		Short: "Describe the commands of an interaction: payload, states, moments",
		Long: `List the commands that an interaction accepts as signals and updates, and the moments that each may fire. With a NAME,
describe this command: its payload, the states in which it may be legal, the moments that it may fire, and an example.

"start" is the workflow's input. The signal and update "commands" takes an array of commands (see segue signal). With
--json, print the JSON Schema of each payload by command name. No Temporal is needed.

Exit codes: 0 success; 2 a NAME is not a command.`,
		Example: `  segue commands
  segue commands transfer
  segue commands transfer --json | jq .transfer`,
		RunE: func(_ *cobra.Command, names []string) error {
			write := a.describeCommands
			if len(names) == 0 {
				names = append([]string{"start"}, interaction.Commands()...)
				write = a.listCommands
			}
			schemas := interaction.Schemas()
			for name := range schemas {
				if !slices.Contains(names, name) {
					delete(schemas, name)
				}
			}
			for _, name := range names {
				if _, ok := schemas[name]; !ok {
					return usage("%q is not a command of an interaction; `%s commands` lists them", name, a.self())
				}
			}
			return a.print(schemas, func(w io.Writer) error { return write(w, names) })
		},
	}
}

func (a *app) listCommands(w io.Writer, names []string) error {
	rows := [][]string{{"COMMAND", "MAY FIRE, BESIDES SEGMENT_CHANGE"}}
	for _, name := range names {
		rows = append(rows, []string{name, strings.Join(interaction.Moments(name), ", ")})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n`%s commands NAME` shows the payload of a command, and an example.\n", a.self())
	return err
}

func (a *app) describeCommands(w io.Writer, names []string) error {
	for i, name := range names {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := a.describeCommand(w, name); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) describeCommand(w io.Writer, name string) error {
	fmt.Fprintln(w, name)
	row := func(label string, words []string) {
		if len(words) > 0 {
			fmt.Fprintf(w, "  %s:\n%s\n", label, wrapped(words, min(widthOf(w), 120)))
		}
	}
	row("may be legal in", separated(textOf(interaction.LegalStates(name))))
	row("may fire, besides segment_change", separated(interaction.Moments(name)))
	fmt.Fprintln(w, "  payload:")
	if err := writeFields(w, interaction.Fields(name)); err != nil {
		return err
	}
	example, err := json.Marshal(interaction.Example(name))
	if err != nil {
		return err
	}
	switch {
	case name == "start":
		_, err = fmt.Fprintf(w, "\nExample:\n  %s start '%s'\n", a.self(), example)
	case interaction.Example(name) == nil:
		_, err = fmt.Fprintf(w, "\nExample:\n  %s signal %s ixn-1 --update\n", a.self(), name)
	default:
		_, err = fmt.Fprintf(w, "\nExample:\n  %s signal %s ixn-1 '%s' --update\n", a.self(), name, example)
	}
	return err
}

// fieldColumn is the width of the names of fields.
const fieldColumn = 18

// writeFields lists the fields of a payload with their types, those that every command has last.
func writeFields(w io.Writer, fields []interaction.Field) error {
	width := min(widthOf(w), 120) - fieldColumn
	var b strings.Builder
	write := func(name string, words []string) {
		for line := range strings.SplitSeq(wrapped(words, width), "\n") {
			fmt.Fprintf(&b, "    %-*s%s\n", fieldColumn-2, name, strings.TrimSpace(line))
			name = ""
		}
	}
	for _, f := range append(fields, interaction.CommonFields()...) {
		if f.Required {
			f.Type += " (required)"
		}
		write(f.Name, strings.Fields(f.Type))
		if f.About != "" {
			write("", strings.Fields(f.About))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// separated puts commas between words.
func separated(words []string) []string {
	separated := slices.Clone(words)
	for i := range len(separated) - 1 {
		separated[i] += ","
	}
	return separated
}

func textOf(states []interaction.State) []string {
	words := make([]string, len(states))
	for i, state := range states {
		words[i] = string(state)
	}
	return words
}
