package check

import (
	"fmt"
	"io"
	"strings"

	"segue/trigger"
)

// Print writes the report as text.
func (r Report) Print(w io.Writer) error {
	p := &printer{w: w}
	if r.File != "" {
		p.line("%s", r.File)
	}
	p.line("version %s, %d calls", r.Version, len(r.Calls))
	reach := "reach: public addresses"
	if r.Proxy != "" {
		reach += " through " + r.Proxy
	}
	p.line("%s", strings.Join(append([]string{reach}, r.Allow...), ", "))
	p.gateway(r.Gateway)
	for _, c := range r.Calls {
		p.line("")
		p.line("call %s (%s)", c.Name, strings.Join(c.notes(), ", "))
		for _, s := range c.Samples {
			p.sample(s)
		}
	}
	if len(r.Warnings) > 0 {
		p.line("")
	}
	for _, warning := range r.Warnings {
		p.line("warning: %s", warning)
	}
	return p.err
}

// notes lists what the line of a call says besides its name.
func (c CallReport) notes() []string {
	notes := []string{"timeout " + c.Timeout, fmt.Sprintf("%d retries", c.Retries)}
	if c.Auth != "" {
		notes = append(notes, c.Auth)
	}
	if c.TLS != "" {
		notes = append(notes, "tls: "+c.TLS)
	}
	if c.Signed {
		notes = append(notes, "signed")
	}
	if c.DryRun {
		notes = append(notes, "dry run: never sent")
	}
	if c.BuiltIn {
		notes = append(notes, "built in")
	}
	return notes
}

// occasion is when a sample is sent, as text.
func (s Sample) occasion() string {
	text := momentOf(trigger.Occasion{Moment: s.Moment, Segment: s.Segment, Leg: s.Leg})
	if s.Channel != "" {
		text += ", " + string(s.Channel)
	}
	if s.Disposition != "" {
		text += ", disposition " + s.Disposition
	}
	if s.DryRun {
		text += " (dry run: recorded, not sent)"
	}
	return text
}

// printer remembers the first error of many writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) sample(s Sample) {
	p.line("  at %s", s.occasion())
	p.line("    %s %s", s.Request.Method, s.Request.URL)
	for _, h := range s.Request.Headers {
		p.line("    %s: %s", h.Name, h.Text(1))
	}
	if s.Request.Body != "" {
		p.line("    %s", strings.ReplaceAll(s.Request.Body, "\n", "\n    "))
	}
	if s.Request.Fault != "" {
		p.line("    cannot be rendered: %s", s.Request.Fault)
	}
}
