package interaction

import (
	"fmt"
	"slices"
	"strings"
)

// Diagram returns the transition table as a Mermaid state diagram: one arrow for each pair
// of states, with the commands that lead from one to the other. Timers are in brackets.
// segment_change, which may lead anywhere, is left out.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> started: start\n    [*] --> composing: reply\n")
	for _, from := range states {
		for _, to := range states {
			if names := between(from, to); len(names) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(names, ", "))
			}
		}
	}
	fmt.Fprintf(&b, "    %s --> [*]\n", StateCompleted)
	return b.String()
}

// between lists the commands that lead from one state to another.
func between(from, to State) []string {
	if from == to {
		return nil
	}
	var names []string
	for n := range rules {
		if rules[n].leadsTo(from, to) {
			names = append(names, rules[n].name)
		}
	}
	for n := range timerRules {
		if timerRules[n].leadsTo(from, to) {
			names = append(names, "["+timerRules[n].name+"]")
		}
	}
	return names
}

func (r *rule) leadsTo(from, to State) bool {
	return slices.ContainsFunc(r.leads, func(l lead) bool {
		if l.to != to {
			return false
		}
		if l.from != nil {
			return slices.Contains(l.from, from)
		}
		return slices.Contains(r.states, from) || r.asyncWrapUp && from == StateWrapUp
	})
}

// Leads reports whether the table lets a command lead from one state to another. Any
// command may stay in a state, and segment_change may lead anywhere.
func Leads(command string, from, to State) bool {
	r, ok := ruleOf(command)
	return ok && (from == to || command == "segment_change" || r.leadsTo(from, to))
}

// Moves reports whether the table has a command lead from a state to another one. segment_change, which may lead anywhere,
// is left out.
func Moves(command string, from State) bool {
	r, ok := ruleOf(command)
	return ok && slices.ContainsFunc(states, func(to State) bool { return to != from && r.leadsTo(from, to) })
}
