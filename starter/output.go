package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"segue/starter/draw"
)

// print writes the command's result to stdout: value as JSON with --json, else what text writes.
func (a *app) print(value any, text func(w io.Writer) error) error {
	if !a.json {
		return text(a.out)
	}
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// printHint writes a line for people: to stdout, or with --json to stderr.
func (a *app) printHint(format string, args ...any) {
	w := a.out
	if a.json {
		w = a.errs
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// table writes rows in aligned columns. The first row is the heading.
func table(w io.Writer, rows [][]string) error { return draw.Table(w, rows) }

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// widthOf returns the columns of a terminal; 100 if w is none.
func widthOf(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 100
}

// plural formats a count with its noun: "1 interaction", "2 interactions".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// wrapped lists words in lines of at most width columns.
func wrapped(words []string, width int) string {
	var lines []string
	line := " "
	for _, word := range words {
		if len(line)+1+len(word) > width {
			lines, line = append(lines, line), " "
		}
		line += " " + word
	}
	return strings.Join(append(lines, line), "\n")
}
