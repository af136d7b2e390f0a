package workflows

import (
	"fmt"
	"strings"
)

// The current details are Markdown for the Temporal UI, which shows tables without space between their columns, and opens a
// link in a new tab.

// code returns text from outside so that Markdown shows it unchanged, in one line.
func code(text string) string {
	return "`" + strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "`", "'") + "`"
}

// columnSpace separates the columns of a table: Markdown drops other spaces at the end of a cell.
const columnSpace = "\u00a0\u00a0\u00a0"

// writeTable writes a table with a heading; every row has as many cells as that.
func writeTable(text *strings.Builder, heading []string, rows [][]string) {
	text.WriteByte('\n')
	writeRow(text, heading)
	text.WriteString(strings.Repeat("|---", len(heading)) + "|\n")
	for _, row := range rows {
		writeRow(text, row)
	}
}

func writeRow(text *strings.Builder, cells []string) {
	for _, cell := range cells {
		text.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + columnSpace + " ")
	}
	text.WriteString("|\n")
}

// workflowLink returns a link to the latest run of a workflow of the same namespace. The text of the link is the workflow's id
// where text is empty: it can be searched for, also where the UI is not served at the root of its host.
func workflowLink(namespace, id, text string) string {
	if text == "" {
		text = id
	}
	return "[" + code(text) + "](/namespaces/" + pathSegment(namespace) + "/workflows/" + pathSegment(id) + ")"
}

// pathSegment escapes a text for the path of a URL, and for Markdown: only unreserved characters stay as they are.
func pathSegment(text string) string {
	var escaped strings.Builder
	for _, b := range []byte(text) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0 {
			escaped.WriteByte(b)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", b)
		}
	}
	return escaped.String()
}
