package check

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"segue/config"
	"segue/contract"
	"segue/interaction"
	"segue/trigger"
)

// Report is what `segue check` shows of a configuration: every call as it would
// go out at each moment that fires it, with sample data and without secrets.
type Report struct {
	File    string `json:"file,omitempty"`
	Version string `json:"version"`
	// Allow is what calls may reach beside public addresses, and Proxy how they reach
	// those; empty: directly.
	Allow    []string     `json:"allow,omitempty"`
	Proxy    string       `json:"proxy,omitempty"`
	Calls    []CallReport `json:"calls"`
	Warnings []string     `json:"warnings,omitempty"`
}

// CallReport is one call of a Report.
type CallReport struct {
	Name    string `json:"name"`
	BuiltIn bool   `json:"built_in,omitempty"`
	// Auth and TLS say how the call authenticates and what it trusts, with the
	// references of secrets and without the secrets.
	Auth    string `json:"auth,omitempty"`
	TLS     string `json:"tls,omitempty"`
	Signed  bool   `json:"signed,omitempty"`
	Timeout string `json:"timeout"`
	Retries int    `json:"retries"`
	// DryRun says that the call is never sent.
	DryRun  bool     `json:"dry_run,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
}

// Sample is a call rendered for one moment, on a channel.
type Sample struct {
	Moment  interaction.Moment  `json:"when"`
	Channel interaction.Channel `json:"channel,omitempty"` // empty at a moment for operators
	// Segment and Leg are those of a segment_change.
	Segment interaction.Segment `json:"segment,omitempty"`
	Leg     interaction.Leg     `json:"leg,omitempty"`
	// Disposition is the code that the trigger waits for, if it does.
	Disposition string `json:"disposition,omitempty"`
	// DryRun says that every trigger of the moment only records the request.
	DryRun  bool             `json:"dry_run,omitempty"`
	Request contract.Request `json:"request"`
}

// maxSamples bounds the samples of one call.
const maxSamples = 100

// NewReport renders a sample of every call for each moment that its triggers name,
// and warns of what is legal but hardly meant.
func NewReport(s *config.Set) Report {
	r := Report{File: s.File, Version: s.Version, Allow: s.Guard.Allow, Proxy: proxied(s.Guard.Proxy)}
	r.idle(s)
	r.checkAlerts(s)
	r.checkConditions(s)
	for _, c := range s.Calls() {
		report := CallReport{Name: c.Name, BuiltIn: c.BuiltIn, Auth: authKind(c), TLS: trusted(c.Policy.TLS), Signed: len(c.Policy.Sign) > 0,
			Timeout: c.Policy.Timeout.String(), Retries: len(c.Policy.Retry.Schedule), DryRun: c.Policy.DryRun}
		occasions := occasionsOf(s, c.Name)
		if len(s.Triggers.Fires(c.Name)) == 0 {
			r.warn("call %s has no trigger: nothing fires it", c.Name)
		}
		if rate := c.Policy.Limits.Rate; rate > 0 {
			r.warn("call %s: limits.rate of %v a second holds for each worker: divide the receiver's limit by the number of workers", c.Name, rate)
		}
		uses := c.Template.Uses()
		if list := misspelled(uses); len(list) > 0 {
			r.warn("call %s: there may never be a value for %s", c.Name, strings.Join(list, ", "))
		}
		var hidden []string
		unreachable := ""
		for _, o := range occasions {
			view, event := sample(o, uses)
			for _, what := range unavailable(o, uses, c.Template.Missing()) {
				r.warn("call %s at %s: %s", c.Name, momentOf(o), what)
			}
			request, err := c.Template.Render("msg_sample", view, event)
			if err != nil {
				r.warn("call %s cannot be rendered at %s with sample data: %s", c.Name, momentOf(o), err)
			}
			if unreachable == "" && !report.DryRun {
				unreachable = refused(s.Guard, request.URL)
			}
			hidden = mask(&request)
			report.Samples = append(report.Samples, Sample{o.Moment, o.Channel, o.Segment, o.Leg, o.Disposition, s.Triggers.DryRun(c.Name, o.Moment), request})
		}
		if len(hidden) > 0 {
			r.warn("call %s: %s looks like a credential, which would stand in every history: use auth", c.Name, strings.Join(hidden, ", "))
		}
		if unreachable != "" {
			r.warn("call %s is blocked: %s", c.Name, unreachable)
		}
		r.Calls = append(r.Calls, report)
	}
	return r
}

// idle warns of triggers that never fire, or hardly.
func (r *Report) idle(s *config.Set) {
	for i, spec := range s.Triggers.Specs() {
		idles := spec.Idles()
		for _, idle := range idles {
			where := fmt.Sprintf("triggers[%d] (call %s)", i, spec.Call)
			switch {
			case idle.Hardly:
				r.warn("%s at %s: %s", where, idle.Moment, idle.Why)
			case len(spec.Moments) == 1:
				r.warn("%s can never fire: %s", where, idle.Why)
			default:
				r.warn("%s can never fire at %s: %s", where, idle.Moment, idle.Why)
			}
		}
	}
}

// occasionsOf lists when a call is made, each once, in the order of the triggers.
func occasionsOf(s *config.Set, call string) []trigger.Occasion {
	var list []trigger.Occasion
	for _, spec := range s.Triggers.Specs() {
		if spec.Call != call {
			continue
		}
		for _, o := range spec.Occasions() {
			if !slices.Contains(list, o) && len(list) < maxSamples {
				list = append(list, o)
			}
		}
	}
	return list
}

// momentOf names an occasion: the moment, and the segment with its leg.
func momentOf(o trigger.Occasion) string {
	if o.Segment == "" {
		return string(o.Moment)
	}
	return fmt.Sprintf("%s %s.%s", o.Moment, o.Segment, o.Leg)
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// credentials are parts of names that people give to headers and parameters with secrets.
var credentials = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "api_key"}

func credential(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(credentials, func(s string) bool { return strings.Contains(name, s) })
}

// mask hides what looks like a credential, and names it.
func mask(r *contract.Request) (names []string) {
	for i, h := range r.Headers {
		if credential(h.Name) && !strings.HasSuffix(h.Value, "***") {
			r.Headers[i] = contract.Header{Name: h.Name, Value: "***"}
			names = append(names, "header "+h.Name)
		}
	}
	masked, parameters := maskQuery(r.URL)
	r.URL = masked
	return append(names, parameters...)
}

// maskQuery hides what looks like a credential in a URL's query, and names it.
func maskQuery(text string) (masked string, names []string) {
	path, query, ok := strings.Cut(text, "?")
	if !ok {
		return text, nil
	}
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		if name, _, ok := strings.Cut(p, "="); ok && credential(name) {
			parameters[i] = name + "=***"
			names = append(names, "parameter "+name)
		}
	}
	return path + "?" + strings.Join(parameters, "&"), names
}

// moment says when a sample is sent, in words.
func (s Sample) moment() string {
	text := momentOf(trigger.Occasion{Moment: s.Moment, Segment: s.Segment, Leg: s.Leg})
	if s.Channel != "" {
		text += ", " + string(s.Channel)
	}
	if s.Disposition != "" {
		text += ", disposition " + s.Disposition
	}
	return text
}

// Print writes the report for people.
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
	for _, c := range r.Calls {
		p.line("")
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
		p.line("call %s (%s)", c.Name, strings.Join(notes, ", "))
		for _, s := range c.Samples {
			at := s.moment()
			if s.DryRun {
				at += " (dry run: recorded, not sent)"
			}
			p.line("  at %s", at)
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
	}
	if len(r.Warnings) > 0 {
		p.line("")
	}
	for _, warning := range r.Warnings {
		p.line("warning: %s", warning)
	}
	return p.err
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
