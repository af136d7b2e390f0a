package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"segue/interaction"
)

func (a *app) commandsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "commands [NAME…]",
		Short: "List the commands of an interaction, and what each fires",
		Long: `List the commands that an interaction takes as signals and updates, with the moments that each may fire; "start" is
the workflow's input. With --json, the JSON Schema of each payload by name.`,
		Example: `  segue commands
  segue commands transfer --json`,
		RunE: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				names = append([]string{"start"}, interaction.Commands()...)
			}
			schemas := interaction.Schemas()
			for name := range schemas {
				if !slices.Contains(names, name) {
					delete(schemas, name)
				}
			}
			for _, name := range names {
				if _, ok := schemas[name]; !ok {
					return usage("%q is no command; `%s commands` lists them", name, a.self())
				}
			}
			return a.print(schemas, func(w io.Writer) error {
				rows := [][]string{{"COMMAND", "MAY FIRE"}}
				for _, name := range names {
					rows = append(rows, []string{name, strings.Join(interaction.Moments(name), ", ")})
				}
				return table(w, rows)
			})
		},
	}
}
