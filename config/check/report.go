package check

import (
	"fmt"
	"slices"
	"strings"

	"segue/config"
	"segue/contract"
	"segue/interaction"
	"segue/trigger"
)

// Report is what `segue check` shows of a configuration: every call as it would be sent
// at each moment that fires it, with sample data and without secrets.
type Report struct {
	File    string `json:"file,omitempty"`
	Version string `json:"version"`
	// Allow lists what calls may reach besides public addresses. Proxy is what they reach
	// public addresses through; empty is directly.
	Allow    []string      `json:"allow,omitempty"`
	Proxy    string        `json:"proxy,omitempty"`
	Gateway  GatewayReport `json:"gateway"`
	Calls    []CallReport  `json:"calls"`
	Warnings []string      `json:"warnings,omitempty"`
}

// CallReport is one call of a Report.
type CallReport struct {
	Name    string `json:"name"`
	BuiltIn bool   `json:"built_in,omitempty"`
	// Auth is how the call authenticates and TLS what it trusts. Both name the references
	// of secrets, never the secrets.
	Auth    string `json:"auth,omitempty"`
	TLS     string `json:"tls,omitempty"`
	Signed  bool   `json:"signed,omitempty"`
	Timeout string `json:"timeout"`
	Retries int    `json:"retries"`
	// DryRun is true for a call that is never sent.
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
	// Disposition is the code that the trigger waits for, if any.
	Disposition string `json:"disposition,omitempty"`
	// DryRun is true if every trigger of the moment only records the request.
	DryRun  bool             `json:"dry_run,omitempty"`
	Request contract.Request `json:"request"`
}

// maxSamples bounds the samples of one call.
const maxSamples = 100

// NewReport renders a sample of every call for each moment that its triggers name, and
// warns of what is valid but hardly intended.
func NewReport(s *config.Set) Report {
	r := Report{File: s.File, Version: s.Version, Allow: s.Guard.Allow, Proxy: proxyOf(s.Guard.Proxy), Gateway: gatewayOf(s)}
	r.checkGateway(s)
	r.checkMoments(s)
	r.checkAlerts(s)
	r.checkConditions(s)
	for _, c := range s.Calls() {
		r.checkCall(s, c)
		r.addCall(s, c)
	}
	return r
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// checkMoments warns of moments at which a trigger never fires, or rarely.
func (r *Report) checkMoments(s *config.Set) {
	for i, spec := range s.Triggers.Specs() {
		for _, idle := range spec.Idles() {
			where := fmt.Sprintf("triggers[%d] (call %s)", i, spec.Call)
			switch {
			case idle.Rarely:
				r.warn("%s at %s: %s", where, idle.Moment, idle.Why)
			case len(spec.Moments) == 1:
				r.warn("%s can never fire: %s", where, idle.Why)
			default:
				r.warn("%s can never fire at %s: %s", where, idle.Moment, idle.Why)
			}
		}
	}
}

// checkCall warns of what is wrong with a call at every moment.
func (r *Report) checkCall(s *config.Set, c *config.Call) {
	if len(s.Triggers.Fires(c.Name)) == 0 {
		r.warn("call %s has no trigger: nothing fires it", c.Name)
	}
	if rate := c.Policy.Limits.Rate; rate > 0 {
		r.warn("call %s: limits.rate of %v per second applies to each worker: divide the receiver's limit by the number of workers", c.Name, rate)
	}
	if list := misspelled(c.Template.Uses()); len(list) > 0 {
		r.warn("call %s: there may never be a value for %s", c.Name, strings.Join(list, ", "))
	}
}

// addCall renders the samples of a call, and warns of what is wrong with them.
func (r *Report) addCall(s *config.Set, c *config.Call) {
	report := CallReport{Name: c.Name, BuiltIn: c.BuiltIn, Auth: authOf(c), TLS: tlsOf(c.Policy.TLS), Signed: len(c.Policy.Sign) > 0,
		Timeout: c.Policy.Timeout.String(), Retries: len(c.Policy.Retry.Schedule), DryRun: c.Policy.DryRun}
	var hidden []string
	blocked := ""
	for _, o := range occasionsOf(s, c.Name) {
		request := r.render(c, o)
		if blocked == "" && !report.DryRun {
			blocked = refused(s.Guard, request.URL)
		}
		request, hidden = request.Masked()
		report.Samples = append(report.Samples, Sample{o.Moment, o.Channel, o.Segment, o.Leg, o.Disposition, s.Triggers.DryRun(c.Name, o.Moment), request})
	}
	if len(hidden) > 0 {
		r.warn("call %s: %s looks like a credential, which would be in every history: use auth", c.Name, strings.Join(hidden, ", "))
	}
	if blocked != "" {
		r.warn("call %s is blocked: %s", c.Name, blocked)
	}
	r.Calls = append(r.Calls, report)
}

// render renders a call on an occasion, and warns of values that it does not have then.
func (r *Report) render(c *config.Call, o trigger.Occasion) contract.Request {
	uses := c.Template.Uses()
	for _, what := range unavailable(o, uses, c.Template.Missing()) {
		r.warn("call %s at %s: %s", c.Name, momentOf(o), what)
	}
	view, event := sample(o, uses)
	request, err := c.Template.Render("msg_sample", view, event)
	if err != nil {
		r.warn("call %s cannot be rendered at %s with sample data: %s", c.Name, momentOf(o), err)
	}
	return request
}

// occasionsOf lists when a call is fired, each occasion once, in the order of the triggers.
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
