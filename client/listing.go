package client

import (
	"strings"

	"segue/contract"
)

var escaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Equals returns a condition in Temporal's list language that finds the workflows whose search attribute has the text. It
// compares with contract.Keyword(text), which is what workflows write.
func Equals(attribute, text string) string {
	return attribute + " = '" + escaper.Replace(contract.Keyword(text)) + "'"
}

// CanFind reports whether Temporal finds a text by Equals. It does not find double quotes and backslashes, which it escapes
// for MySQL on every SQL database, nor single quotes at the ends, which it cuts off.
func CanFind(text string) bool {
	return !strings.ContainsAny(text, `"\`) && strings.Trim(text, "'") == text
}
