package draw

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Span is the time of a leg in one segment.
type Span struct {
	// Leg is the kind of the leg, Name its agent or queue; Name is empty for the channel.
	Leg, Name string
	Segment   string
	Start     time.Time
	// End is zero while the leg is still in the segment.
	End time.Time
}

// MinWidth is the minimum width of the bars in columns.
const MinWidth = 20

// Timeline draws spans, oldest first, as bars of about width columns. An open span ends at now or at the latest time of
// all spans, whichever is later.
func Timeline(w io.Writer, spans []Span, now time.Time, width int) error {
	if len(spans) == 0 {
		_, err := fmt.Fprintln(w, "(no segments)")
		return err
	}
	p := picture{scale: scaleOf(spans, now, max(width, MinWidth))}
	for _, s := range spans {
		p.addSpan(s)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// scale maps times to columns.
type scale struct {
	from, to time.Time
	width    int
}

func scaleOf(spans []Span, now time.Time, width int) scale {
	s := scale{from: spans[0].Start, to: spans[0].Start, width: width}
	open := false
	for _, span := range spans {
		s.include(span.Start)
		if span.End.IsZero() {
			open = open || !isEnd(span.Segment)
		} else {
			s.include(span.End)
		}
	}
	if open && now.After(s.to) {
		s.to = now
	}
	return s
}

func (s *scale) include(t time.Time) {
	if t.Before(s.from) {
		s.from = t
	}
	if t.After(s.to) {
		s.to = t
	}
}

func (s scale) column(t time.Time) int {
	total := s.to.Sub(s.from)
	if total <= 0 {
		return 0
	}
	return int(float64(t.Sub(s.from)) / float64(total) * float64(s.width-1))
}

// picture collects the rows in the order of their first span.
type picture struct {
	scale
	rows []*row
	used []string
}

type row struct {
	leg, name string
	cells     []rune
	// next is the first column for the next span, so that short spans remain visible next to each other.
	next int
}

func (p *picture) addSpan(s Span) {
	r := p.row(s.Leg, s.Name)
	m := markOf(s.Segment)
	start := max(p.column(s.Start), r.next)
	end := start
	switch {
	case isEnd(s.Segment):
	case s.End.IsZero():
		end = max(start, p.width-1)
	default:
		end = max(start, p.column(s.End)-1)
	}
	r.draw(start, m.letter)
	for column := start + 1; column <= end; column++ {
		r.draw(column, m.fill)
	}
	r.next = end + 1
	p.addToLegend(s.Segment)
}

func (p *picture) row(leg, name string) *row {
	for _, r := range p.rows {
		if r.leg == leg && r.name == name {
			return r
		}
	}
	r := &row{leg: leg, name: name}
	p.rows = append(p.rows, r)
	return r
}

func (r *row) draw(column int, mark rune) {
	for len(r.cells) <= column {
		r.cells = append(r.cells, ' ')
	}
	r.cells[column] = mark
}

func (r *row) label() string {
	leg := strings.ReplaceAll(r.leg, "_", " ")
	if r.name == "" {
		return leg
	}
	return leg + " " + r.name
}

func (p *picture) addToLegend(segment string) {
	for _, known := range p.used {
		if known == segment {
			return
		}
	}
	p.used = append(p.used, segment)
}

// String returns the picture: ruler, rows and legend.
func (p *picture) String() string {
	margin := 0
	for _, r := range p.rows {
		margin = max(margin, utf8.RuneCountInString(r.label()))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %*s  %s\n", margin, "", p.ruler())
	for _, r := range p.rows {
		pad := strings.Repeat(" ", margin-utf8.RuneCountInString(r.label()))
		fmt.Fprintf(&b, "  %s%s  %s\n", r.label(), pad, string(r.cells))
	}
	fmt.Fprintf(&b, "  %*s  %s\n", margin, "", p.legend())
	return b.String()
}

// ruler returns the first and the last time, at the ends of the bars, with the duration between them.
func (p *picture) ruler() string {
	first, last := p.from.UTC().Format(time.TimeOnly), p.to.UTC().Format(time.TimeOnly)
	length := "(" + Duration(p.to.Sub(p.from)) + ")"
	room := p.width - len(first) - len(last)
	if room < len(length)+2 {
		return first + " " + last
	}
	left := (room - len(length)) / 2
	return first + strings.Repeat(" ", left) + length + strings.Repeat(" ", room-len(length)-left) + last
}

func (p *picture) legend() string {
	parts := make([]string, len(p.used))
	for i, segment := range p.used {
		parts[i] = string(markOf(segment).letter) + " " + segment
	}
	return strings.Join(parts, "  ")
}

// Duration formats a duration with at most two units.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute-50*time.Millisecond:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
}
