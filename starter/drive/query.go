package drive

import (
	"strings"

	"segue/workflows"
)

var escaped = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Equals is a condition in Temporal's list language: the search attribute is what a workflow writes for the text.
func Equals(attribute, text string) string {
	return attribute + " = '" + escaped.Replace(workflows.Keyword(text)) + "'"
}
