package config

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in the configuration.
type Error struct {
	// File and Line are where the mistake is, Line from 1. Both are zero for a setting from
	// the environment or a flag.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Path is the place in the file ("calls[0].method"), or the name of the variable or flag.
	Path string `json:"path,omitempty"`
	// Value is the wrong value; empty for secrets and for whole blocks.
	Value string `json:"value,omitempty"`
	// Problem describes the mistake, and Remedy what to write instead.
	Problem string `json:"problem"`
	Remedy  string `json:"remedy,omitempty"`
}

func (e Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "%s:%d: ", e.File, e.Line)
	} else if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Errors are all mistakes of a configuration, in the order of the file.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the mistakes one by one.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i := range e {
		list[i] = e[i]
	}
	return list
}

// maxErrors is how many mistakes are listed; further ones are only counted.
const maxErrors = 100

// sorted returns the mistakes in the order of their lines, bounded, and nil for none.
func (e Errors) sorted() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int { return a.Line - b.Line })
	return e.bounded()
}

func (e Errors) bounded() Errors {
	if more := len(e) - maxErrors; more > 0 {
		e = append(e[:maxErrors:maxErrors], Error{File: e[0].File, Problem: fmt.Sprintf("and %d more mistakes", more)})
	}
	return e
}

// quoted returns a value as an error shows it: quoted, shortened, and without the user and
// the query of a URL.
func quoted(s string) string {
	s = masked(s)
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
