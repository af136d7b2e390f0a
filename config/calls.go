package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"segue/contract"
	"segue/delivery"
	"segue/expr"
	"segue/request"
	"segue/trigger"

	"go.yaml.in/yaml/v3"
)

// calls compiles the calls of the file and the built-in calls.
func (l *loader) calls(s *Set) {
	l.bounded("calls", len(l.file.Calls), maxCalls)
	seen := map[string]int{}
	for i := range l.file.Calls {
		c := &l.file.Calls[i]
		at := fmt.Sprintf("calls[%d]", i)
		l.named(at, c.Name, seen)
		if problem, remedy := checkName.mistake(c.Name); c.Name != "" && problem != "" {
			l.decoder.fail(at+".name", c.Name, problem, remedy)
		}
		l.add(s, at, c, false)
	}
	if s.Engagement.Backend == "" {
		return
	}
	for _, c := range engagementCalls(s.Engagement.Backend) {
		if _, own := s.calls[c.Name]; !own {
			l.add(s, "engagement.backend", &c, true)
		}
	}
}

func (l *loader) add(s *Set, at string, c *fileCall, builtIn bool) {
	template, err := request.Compile(request.Spec{Name: c.Name, Method: c.Method, URL: c.URL, Query: c.Query, Headers: withAccept(c),
		JSON: c.JSON, Form: c.Form, XML: c.XML, SOAP: c.SOAP, Text: c.Text, Missing: request.Missing(c.Missing), Mappings: c.Mappings,
		Once: !c.Idempotent, Timeout: time.Duration(c.Timeout)})
	for _, p := range each[*request.Problem](err) {
		l.decoder.fail(at+"."+p.Path, p.Value, p.What, p.Remedy)
	}
	call := &Call{Name: c.Name, Template: template, Policy: l.policy(at, c), BuiltIn: builtIn}
	if _, twice := s.calls[c.Name]; !twice {
		s.names = append(s.names, c.Name)
		s.calls[c.Name] = call
	}
}

// media are the values of the Accept header for each format of a response.
var media = map[delivery.Format]string{delivery.FormatJSON: "application/json", delivery.FormatXML: "application/xml", delivery.FormatText: "text/plain"}

// withAccept returns the headers of a call, with an Accept for its format unless it has one.
func withAccept(c *fileCall) []request.Pair {
	own := slices.ContainsFunc(c.Headers, func(h request.Pair) bool { return strings.EqualFold(h.Name, "Accept") })
	if own || c.SOAP != nil || media[c.Accept] == "" {
		return c.Headers
	}
	return append(slices.Clip(c.Headers), request.Pair{Name: "Accept", Value: media[c.Accept]})
}

// returns checks which values of a response are written into user data.
func (l *loader) returns(at string, c *fileCall) []delivery.Return {
	switch {
	case c.Accept == "":
	case !slices.Contains(delivery.Formats, c.Accept):
		l.decoder.fail(at+".accept", string(c.Accept), quoted(string(c.Accept))+" is not a response format", "use json, text, xml")
	case c.SOAP != nil && c.Accept != delivery.FormatXML:
		l.decoder.fail(at+".accept", string(c.Accept), "a SOAP service responds in XML", "remove accept")
	}
	if c.Method == "HEAD" && len(c.Returns) > 0 {
		l.decoder.fail(at+".returns", "", "the response to a HEAD request has no body", "remove returns, or use another method")
	}
	l.bounded(at+".returns", len(c.Returns), maxReturns)
	returns := make([]delivery.Return, 0, len(c.Returns))
	for i, r := range c.Returns {
		if r.From == "" || r.To == "" {
			l.decoder.fail(fmt.Sprintf("%s.returns[%d]", at, i), "", "from or to is missing", "write {from: key of the response, to: key of user data}")
		}
		returns = append(returns, delivery.Return(r))
	}
	return returns
}

// each lists the errors of one type in a joined error.
func each[T error](err error) []T {
	var list []T
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			list = append(list, each[T](e)...)
		}
		return list
	}
	if one, ok := errors.AsType[T](err); ok {
		list = append(list, one)
	}
	return list
}

// policy checks how a call is delivered.
func (l *loader) policy(at string, c *fileCall) delivery.Policy {
	l.spanWithin(at+".timeout", time.Duration(c.Timeout), timeoutSpans)
	l.cleartext(at, c)
	if len(c.Success) == 0 {
		l.decoder.fail(at+".success", "", "no status counts as delivered", "write success: [2xx]")
	}
	orders := []string{string(delivery.OrderBlock), string(delivery.OrderSkip), string(delivery.OrderUnordered)}
	if !slices.Contains(orders, string(c.Order)) {
		l.decoder.fail(at+".order", string(c.Order), quoted(string(c.Order))+" is not an order", expr.Suggest(string(c.Order), orders))
	}
	l.bounded(at+".retry.schedule", len(c.Retry.Schedule), maxSchedule)
	schedule := make([]time.Duration, len(c.Retry.Schedule))
	for i, d := range c.Retry.Schedule {
		schedule[i] = time.Duration(d)
		l.spanWithin(fmt.Sprintf("%s.retry.schedule[%d]", at, i), schedule[i], waitSpans)
	}
	l.within(at+".retry.jitter", c.Retry.Jitter, jitterNumbers)
	l.within(at+".limits.concurrency", float64(c.Limits.Concurrency), concurrencyNumbers)
	l.within(at+".limits.rate", c.Limits.Rate, rateNumbers)
	l.within(at+".limits.response", float64(c.Limits.Response), responseNumbers)
	return delivery.Policy{Call: c.Name, Origin: delivery.OriginOf(c.URL), Timeout: time.Duration(c.Timeout), Success: c.Success,
		Final: c.Final.statuses, Retriable: c.Retriable.statuses, Verdicts: l.verdicts(at, c),
		SOAP: c.SOAP != nil, Idempotent: c.Idempotent, NotInline: !c.Inline, DryRun: c.DryRun, Order: c.Order,
		Retry:  delivery.Retry{Schedule: schedule, Jitter: c.Retry.Jitter, Retention: time.Duration(c.Retry.Retention)},
		Limits: delivery.Limits{Concurrency: c.Limits.Concurrency, Rate: c.Limits.Rate, Response: int64(c.Limits.Response)},
		Auth:   l.auth(at+".auth", c), TLS: l.tls(at, c), Sign: l.sign(at, c), Returns: l.returns(at, c), Accept: c.Accept}
}

// verdicts are the verdicts that a call sets for outcome classes.
func (l *loader) verdicts(at string, c *fileCall) map[delivery.Class]contract.Verdict {
	if len(c.Final.classes)+len(c.Retriable.classes) == 0 {
		return nil
	}
	verdicts := map[delivery.Class]contract.Verdict{}
	for _, class := range c.Final.classes {
		verdicts[class] = contract.VerdictFinal
	}
	for _, class := range c.Retriable.classes {
		if verdicts[class] == contract.VerdictFinal {
			l.decoder.fail(at+".retriable", string(class), quoted(string(class))+" is in final too", "keep it in one of the two")
		}
		verdicts[class] = contract.VerdictRetry
	}
	return verdicts
}

// triggers compiles the triggers of the file and the built-in triggers.
func (l *loader) triggers(s *Set) {
	var specs []trigger.Spec
	for _, t := range l.file.Triggers {
		specs = append(specs, trigger.Spec{Moments: t.When, Call: t.Call, Segments: t.Segments, Legs: t.Legs, From: t.From, To: t.To,
			Channels: t.Channels, Queues: t.Queues, BusinessProcesses: t.BusinessProcesses, Dispositions: t.Dispositions,
			If: t.If, DryRun: t.DryRun})
	}
	if s.Engagement.Backend != "" {
		for _, name := range engagementNames {
			specs = append(specs, trigger.Spec{Moments: []string{name}, Call: name})
		}
	}
	set, err := trigger.Compile(specs, s.names)
	for _, p := range each[*trigger.Problem](err) {
		l.decoder.fail(fmt.Sprintf("triggers[%d].%s", p.Index, p.Path), p.Value, p.What, p.Remedy)
	}
	s.Triggers = set
}

// engagementNames are the built-in calls. Each is fired at the moment of its name.
var engagementNames = []string{contract.CallEngage, contract.CallNoEngage}

// engagementCalls returns the callbacks of the GWE Engagement API. Each sends the
// command's object under the name of the parameter. Status 400 means FAULT, which no
// retry changes.
func engagementCalls(backend string) []fileCall {
	parameter := map[string]string{contract.CallEngage: "ixnProfile", contract.CallNoEngage: "cancelData"}
	calls := make([]fileCall, 0, len(engagementNames))
	for _, name := range engagementNames {
		c := fileCall{Name: name, Method: "POST", URL: backend + "/backend/data/gateway/" + name}
		c.setDefaults()
		c.Missing = missing(request.MissingPark)
		c.Success = statuses{{From: 200, To: 200}}
		c.Final = outcomes{statuses: statuses{{From: 400, To: 400}}}
		c.Order = delivery.OrderSkip // a refused attempt does not hold back the next one of the visit
		c.JSON = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: parameter[name]},
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "${event." + parameter[name] + "}"},
		}}
		calls = append(calls, c)
	}
	return calls
}
