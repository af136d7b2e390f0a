package draw

import (
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// maxColumn is the width up to which a cell widens its column. A longer cell, such as a long id, only moves the rest of
	// its own row, so that the other rows still fit into a terminal.
	maxColumn = 44
	// columnGap is the space between two columns.
	columnGap = 2
)

// Table writes rows in aligned columns. The first row is the heading. No cell is cut; control characters, which could move the
// cursor of a terminal, are replaced.
func Table(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if width := utf8.RuneCountInString(cell); width <= maxColumn {
				widths[i] = max(widths[i], width)
			}
		}
	}
	var text strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			if i > 0 {
				line += strings.Repeat(" ", columnGap)
			}
			line += oneLine(cell) + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// oneLine is Printable without line ends and tabs.
func oneLine(text string) string {
	return Printable(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))
}
