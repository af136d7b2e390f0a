package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/excerpt"
)

// defaultContactCenter is the contact center of an interaction that names none.
const defaultContactCenter = "default"

func contactCenterFlag(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "contact-center", defaultContactCenter, "contact center of interactions that name none")
}

// parseName reads ID or CONTACT-CENTER/ID from an argument.
func parseName(text, contactCenter string) (client.Name, error) {
	n, err := client.ParseName(text, contactCenter)
	if err != nil {
		return n, usage("%w", err)
	}
	return n, nil
}

// payload returns the JSON that an argument gives inline, by a file's name, or with - on stdin.
func (a *app) payload(argument string) (json.RawMessage, error) {
	text, err := a.textOf(argument)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		return nil, usage("%s is not JSON: give JSON inline, a file's name, or - for stdin", describe(argument))
	}
	return text, nil
}

// textOf returns the text that an argument gives inline, by a file's name, or with - on stdin.
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
	if argument == "-" {
		return "stdin"
	}
	return strconv.Quote(excerpt.Of(argument, 60))
}

// withDefault sets a field of a JSON object that lacks the field.
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
