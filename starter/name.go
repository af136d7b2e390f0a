package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"segue/client"
)

// defaultContactCenter is where an interaction belongs that names no other.
const defaultContactCenter = "default"

func contactCenterFlag(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "contact-center", defaultContactCenter, "contact center of interactions that name none")
}

// name reads which interaction is meant.
func name(text, contactCenter string) (client.Name, error) {
	n, err := client.ParseName(text, contactCenter)
	if err != nil {
		return n, usage("%w", err)
	}
	return n, nil
}

// payload reads JSON from an argument: inline, a file, or - for stdin.
func (a *app) payload(argument string) (json.RawMessage, error) {
	text, err := a.textOf(argument)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		return nil, usage("%s is not JSON: give it inline, as a file's name, or - for stdin", describe(argument))
	}
	return text, nil
}

func (a *app) textOf(argument string) ([]byte, error) {
	switch {
	case argument == "-":
		return io.ReadAll(a.in)
	case strings.HasPrefix(strings.TrimSpace(argument), "{"), strings.HasPrefix(strings.TrimSpace(argument), "["):
		return []byte(argument), nil
	}
	content, err := os.ReadFile(argument)
	if err != nil {
		return nil, usage("%w: give JSON inline, a file's name, or - for stdin", err)
	}
	return content, nil
}

func describe(argument string) string {
	switch {
	case argument == "-":
		return "stdin"
	case len(argument) > 60:
		return fmt.Sprintf("%q…", argument[:60])
	}
	return fmt.Sprintf("%q", argument)
}

// withDefault sets a field of a JSON object that does not have it.
func withDefault(object json.RawMessage, field, value string) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, usage("%s is not a JSON object", describe(string(object)))
	}
	if _, given := fields[field]; given {
		return object, nil
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	fields[field] = quoted
	return json.Marshal(fields)
}
