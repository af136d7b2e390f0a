package config_test

import (
	"testing"

	"segue/config"

	"github.com/stretchr/testify/require"
)

// The error uses the words of a person who writes YAML, not those of the parser.
func TestProblemsOfYAMLAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		"calls:\n\t- name: x\n":                  "f.yaml:2: is not YAML: a tab indents this line or the next; indent with spaces",
		"calls:\n  - name: x\n\t  url: y\n":      "f.yaml:2: is not YAML: a tab indents this line or the next; indent with spaces",
		"guard:\n\tallow: []\n":                  "f.yaml:2: is not YAML: a tab indents this line or the next; indent with spaces",
		"calls:\n  - name: @x\n":                 "f.yaml:2: is not YAML: a value begins with @; put it in quotes",
		"calls:\n  - name: `x`\n":                "f.yaml:2: is not YAML: a value begins with `; put it in quotes",
		"calls:\n  - {name: x, text: %x}\n":      "f.yaml:2: is not YAML: a value begins with %; put it in quotes",
		"calls:\n  - name: \"x\n    url: y\n":    "f.yaml:2: is not YAML: a quote is opened here and never closed; close it with the same quote",
		"calls:\n  - url: https://x/${a: b}\n":   "f.yaml:2: is not YAML: there is a colon where no key is allowed, or the indentation changes; put a value that has a colon and a space in quotes",
		"calls:\n  - {name: x\ntriggers: []\n":   "is not YAML: a [ or { is not closed, or an entry lacks a comma; close it",
		"calls:\n  - name: x\n  -name: y\n":      "is not YAML: the entries of a list are not indented alike, or something else is among them; indent each - alike",
		"calls:\n  - name: x\n   url: y\n":       "is not YAML: the entries of a list are not indented alike",
		"calls: - name: x\n":                     "is not YAML: a list begins on the line of its key; begin each - on a line of its own",
		"calls:\n  - name: \"a\\d\"\n":           `f.yaml:2: is not YAML: there is an unknown escape in "…"; write \\ for a backslash`,
		"calls:\n  - name: \"x\" y\n":            "is not YAML: there is text after a closing quote",
		"calls:\n  - name: *x\n":                 "is not YAML: a value begins with *; put it in quotes",
		"calls:\n  - {name: x, text: {a: ${b}}}": "is not YAML: a [ or { is not closed, or an entry lacks a comma; close it; put a value that contains { } , or ${…} in quotes",
	} {
		_, err := config.Parse("f.yaml", []byte(text))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "token")
	}
}
