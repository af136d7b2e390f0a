package request

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"segue/contract"
	"segue/expr"
	"segue/interaction"
)

// Template is a compiled call. It is immutable and safe for concurrent use.
type Template struct {
	name     string
	method   string
	missing  Missing
	mappings []Mapping
	// once, timeout and version are those of contract.Request.
	once    bool
	timeout time.Duration
	version string
	target  target
	headers []pair
	// fixed are the headers that do not depend on the event.
	fixed []contract.Header
	body  body
}

// body writes the body of a request; nil is no body.
type body interface {
	contentType() string
	append(r *rendering, dst []byte) ([]byte, error)
	leaves(visit func(*leaf))
}

// Compile checks a call and returns its template. The error joins a *Problem for each
// mistake.
func Compile(s Spec) (*Template, error) {
	p := &problems{}
	t := &Template{name: s.Name, method: s.Method, missing: s.Missing, mappings: s.Mappings, once: s.Once}
	if s.Timeout > contract.UsualTimeout {
		t.timeout = s.Timeout
	}
	switch {
	case s.Method == "":
		p.add("method", "", "a call needs a method", "use "+list(Methods))
	case !slices.Contains(Methods, s.Method):
		p.add("method", s.Method, fmt.Sprintf("%q is not a method", s.Method), "use "+list(Methods))
	}
	switch s.Missing {
	case "":
		t.missing = MissingEmpty
	case MissingEmpty, MissingOmit, MissingNull, MissingPark:
	default:
		p.add("missing", string(s.Missing), fmt.Sprintf("%q is not a policy for missing values", s.Missing),
			"use empty, omit, null or park")
	}
	if len(s.Mappings) > MaxPairs {
		p.add("mappings", "", fmt.Sprintf("has %d entries, more than %d", len(s.Mappings), MaxPairs), "remove some")
	}
	for i, m := range s.Mappings {
		p.plain(fmt.Sprintf("mappings[%d].from", i), m.From, "a mapping")
		p.plain(fmt.Sprintf("mappings[%d].to", i), m.To, "a mapping")
	}
	t.target = p.compileTarget(s.URL, p.compilePairs("query", s.Query))
	t.headers = p.compileHeaders(s.Headers)
	t.body = p.compileBody(s)
	t.fixed = fixedHeaders(s, t.body)
	if err := p.err(); err != nil {
		return nil, err
	}
	return t, nil
}

// compileBody compiles the body of a call.
func (p *problems) compileBody(s Spec) body {
	var kinds []string
	var b body
	if s.JSON != nil {
		kinds = append(kinds, "json")
		b = p.compileJSON(s.JSON)
	}
	if s.Form != nil {
		kinds = append(kinds, "form")
		b = &formBody{p.compilePairs("form", s.Form)}
	}
	if s.XML != nil {
		kinds = append(kinds, "xml")
		b = p.compileXML(s.XML)
	}
	if s.SOAP != nil {
		kinds = append(kinds, "soap")
		b = p.compileSOAP(s.SOAP)
	}
	if s.Text != nil {
		kinds = append(kinds, "text")
		b = &textBody{p.compileLeaf("text", *s.Text, expr.InBody)}
	}
	switch {
	case len(kinds) > 1:
		p.add(kinds[1], "", "a call has one body, and "+kinds[0]+" is given too",
			"keep one of "+list(kinds))
	case len(kinds) == 1 && (s.Method == "HEAD" || s.Method == "TRACE"):
		p.add(kinds[0], "", "a "+s.Method+" request has no body", "use query, or another method")
	case s.SOAP != nil && s.Method != "POST" && slices.Contains(Methods, s.Method):
		p.add("method", s.Method, "SOAP requires POST", "write method: POST")
	}
	return b
}

// fixedHeaders returns Content-Type and User-Agent, unless the call has its own.
func fixedHeaders(s Spec, b body) []contract.Header {
	var fixed []contract.Header
	own := func(name string) bool {
		return slices.ContainsFunc(s.Headers, func(p Pair) bool { return strings.EqualFold(p.Name, name) })
	}
	if b != nil && !own("Content-Type") {
		fixed = append(fixed, contract.Header{Name: "Content-Type", Value: b.contentType()})
	}
	if !own("User-Agent") {
		fixed = append(fixed, contract.Header{Name: "User-Agent", Value: contract.UserAgent})
	}
	if soap, ok := b.(*soapBody); ok && soap.version == "1.1" {
		fixed = append(fixed, contract.Header{Name: "SOAPAction", Value: `"` + soap.action + `"`}) // SOAP 1.1 requires it, even empty
	}
	return fixed
}

// Name returns the name of the call.
func (t *Template) Name() string { return t.name }

// WithVersion returns the template for a version of the configuration, which its requests
// carry.
func (t *Template) WithVersion(version string) *Template {
	stamped := *t
	stamped.version = version
	return &stamped
}

// Method returns the HTTP method of the call.
func (t *Template) Method() string { return t.method }

// Render renders the call for one event. If that fails, the error is a *Fault, and the
// request carries its text, so that the delivery is parked and not lost.
func (t *Template) Render(deliveryID string, view *interaction.View, ev *interaction.Event) (contract.Request, error) {
	request := contract.Request{ID: deliveryID, Call: t.name, Moment: string(ev.Moment), Sequence: ev.Sequence,
		Method: t.method, At: ev.At, Version: t.version, Once: t.once, Timeout: t.timeout}
	r := newRendering(t, deliveryID, view, ev)
	err := r.fill(&request)
	if err != nil {
		request.Fault = err.Error()
	}
	return request, err
}

func (r *rendering) fill(request *contract.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Fault{Path: "call", Reason: "rendering panicked"}
		}
	}()
	if request.URL, err = r.target.render(r); err != nil {
		return err
	}
	if request.Headers, err = r.renderHeaders(); err != nil {
		return err
	}
	if r.body == nil {
		return nil
	}
	buffer := buffers.get()
	defer buffers.put(buffer)
	out, err := r.body.append(r, (*buffer)[:0])
	*buffer = out
	if err != nil {
		return err
	}
	if len(out) > MaxBody {
		return tooLarge("body", MaxBody)
	}
	request.Body = string(out)
	return nil
}

func list(names []string) string { return strings.Join(names, ", ") }

// Missing returns the policy of the call for values that do not exist.
func (t *Template) Missing() Missing { return t.missing }
