package listen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"segue/excerpt"
	"segue/starter/draw"
)

// shownBody is how much of a body is written, in bytes.
const shownBody = 2000

// The colors of a terminal.
const (
	plain  = "\x1b[0m"
	faint  = "\x1b[2m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
)

// Write writes a request in two lines, or one without a body: what arrived, and its body.
func (r Request) Write(w io.Writer, colored bool) error {
	paint := func(color, text string) string {
		if !colored || text == "" {
			return text
		}
		return color + text + plain
	}
	parts := []string{
		paint(faint, r.At.Local().Format(time.TimeOnly)), paint(bold, r.Method+" "+draw.Printable(r.URL)),
		paint(statusColor(r.Status), fmt.Sprint(r.Status)), paint(cyan, r.Moment), paint(faint, draw.Printable(r.ID)),
	}
	if r.Times > 1 {
		parts = append(parts, paint(yellow, fmt.Sprintf("attempt %d", r.Times)))
	}
	line := strings.Join(filled(parts), "  ") + "\n"
	if body := r.shown(); body != "" {
		line += "          " + body + "\n"
	}
	_, err := io.WriteString(w, line)
	return err
}

// shown returns the body in one line.
func (r Request) shown() string {
	body := r.Body
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(body)) == nil {
		body = compact.String()
	}
	return draw.Printable(excerpt.Of(strings.Join(strings.Fields(body), " "), shownBody))
}

func statusColor(status int) string {
	switch {
	case status < 300:
		return green
	case status < 500:
		return yellow
	}
	return red
}

func filled(parts []string) []string {
	var some []string
	for _, part := range parts {
		if part != "" {
			some = append(some, part)
		}
	}
	return some
}
