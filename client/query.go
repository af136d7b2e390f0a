package client

import (
	"strings"

	"segue/contract"
)

var escaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Equals is a condition in Temporal's list language: the search attribute is what a workflow writes for the text.
func Equals(attribute, text string) string {
	return attribute + " = '" + escaper.Replace(contract.Keyword(text)) + "'"
}

// CanFind reports whether Temporal finds a text by Equals. On SQL databases it escapes double quotes and backslashes as
// only MySQL does, and it cuts quotes off the ends.
func CanFind(text string) bool {
	return !strings.ContainsAny(text, `"\`) && strings.Trim(text, "'") == text
}
