package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"segue/delivery"
	"segue/dispatch"
	"segue/request"
	"segue/request/expr"
	"segue/trigger"

	"go.yaml.in/yaml/v3"
)

// calls compiles the calls of the file and the built-in ones.
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
		JSON: c.JSON, Form: c.Form, XML: c.XML, SOAP: c.SOAP, Text: c.Text, Missing: request.Missing(c.Missing), Mappings: c.Mappings})
	for _, p := range each[*request.Problem](err) {
		l.decoder.fail(at+"."+p.Path, p.Value, p.What, p.Remedy)
	}
	call := &Call{Name: c.Name, Template: template, Policy: l.policy(at, c), BuiltIn: builtIn}
	if _, twice := s.calls[c.Name]; !twice {
		s.names = append(s.names, c.Name)
		s.calls[c.Name] = call
	}
}

// media is what the Accept header says of each format of a response.
var media = map[delivery.Format]string{delivery.FormatJSON: "application/json", delivery.FormatXML: "application/xml", delivery.FormatText: "text/plain"}

// withAccept is a call's headers with the Accept that it means, unless it has its own.
func withAccept(c *fileCall) []request.Pair {
	own := slices.ContainsFunc(c.Headers, func(h request.Pair) bool { return strings.EqualFold(h.Name, "Accept") })
	if own || c.SOAP != nil || media[c.Accept] == "" {
		return c.Headers
	}
	return append(slices.Clip(c.Headers), request.Pair{Name: "Accept", Value: media[c.Accept]})
}

// returns checks which values of a response are kept.
func (l *loader) returns(at string, c *fileCall) []delivery.Return {
	switch {
	case c.Accept == "":
	case !slices.Contains(delivery.Formats, c.Accept):
		l.decoder.fail(at+".accept", string(c.Accept), quoted(string(c.Accept))+" is not a format of a response", "use json, text, xml")
	case c.SOAP != nil && c.Accept != delivery.FormatXML:
		l.decoder.fail(at+".accept", string(c.Accept), "a SOAP service answers in XML", "leave it out")
	}
	if c.Method == "HEAD" && len(c.Returns) > 0 {
		l.decoder.fail(at+".returns", "", "the response to a HEAD has no values", "leave it out, or use another method")
	}
	l.bounded(at+".returns", len(c.Returns), maxReturns)
	returns := make([]delivery.Return, 0, len(c.Returns))
	for i, r := range c.Returns {
		if r.From == "" || r.To == "" {
			l.decoder.fail(fmt.Sprintf("%s.returns[%d]", at, i), "", "a return value needs both names", "write {from: key of the response, to: key of user data}")
		}
		returns = append(returns, delivery.Return(r))
	}
	return returns
}

// each lists the errors of one type that a joined error holds.
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
	if len(c.Success) == 0 {
		l.decoder.fail(at+".success", "", "no status would count as delivered", "write success: [2xx]")
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
		Final: c.Final.statuses, Retriable: c.Again.statuses, Verdicts: l.verdicts(at, c),
		SOAP: c.SOAP != nil, Idempotent: c.Idemp, DryRun: c.DryRun, Order: c.Order,
		Retry:  delivery.Retry{Schedule: schedule, Jitter: c.Retry.Jitter, Retention: time.Duration(c.Retry.Retention)},
		Limits: delivery.Limits{Concurrency: c.Limits.Concurrency, Rate: c.Limits.Rate, Response: int64(c.Limits.Response)},
		Auth:   l.auth(at+".auth", c), TLS: l.tls(at, c), Sign: l.sign(at, c), Returns: l.returns(at, c), Accept: c.Accept}
}

// verdicts are what a call makes of classes of outcomes.
func (l *loader) verdicts(at string, c *fileCall) map[delivery.Class]dispatch.Verdict {
	if len(c.Final.classes)+len(c.Again.classes) == 0 {
		return nil
	}
	verdicts := map[delivery.Class]dispatch.Verdict{}
	for _, class := range c.Final.classes {
		verdicts[class] = dispatch.VerdictFinal
	}
	for _, class := range c.Again.classes {
		if verdicts[class] == dispatch.VerdictFinal {
			l.decoder.fail(at+".retriable", string(class), quoted(string(class))+" is final already", "keep it in one of the two")
		}
		verdicts[class] = dispatch.VerdictRetry
	}
	return verdicts
}

// auth checks the one way in which a call authenticates.
func (l *loader) auth(at string, c *fileCall) delivery.Auth {
	var auth delivery.Auth
	a := &c.Auth
	var kinds []string
	if a.Basic != nil {
		kinds = append(kinds, "basic")
		auth.Basic = &delivery.BasicAuth{Username: l.secret(at+".basic.username", a.Basic.Username),
			Password: l.secret(at+".basic.password", a.Basic.Password)}
	}
	if a.Bearer != nil {
		kinds = append(kinds, "bearer")
		auth.Bearer = l.secret(at+".bearer", a.Bearer.Token)
	}
	if a.APIKey != nil {
		kinds = append(kinds, "api_key")
		auth.APIKey = &delivery.APIKeyAuth{In: a.APIKey.In, Name: a.APIKey.Name, Key: l.secret(at+".api_key.key", a.APIKey.Key)}
		if a.APIKey.In == "" {
			auth.APIKey.In = "header"
		} else if a.APIKey.In != "header" && a.APIKey.In != "query" {
			l.decoder.fail(at+".api_key.in", a.APIKey.In, quoted(a.APIKey.In)+" is not a place for a key", "write header or query")
		}
		l.keyName(at+".api_key.name", auth.APIKey, c)
	}
	if a.OAuth2 != nil {
		kinds = append(kinds, "oauth2")
		auth.OAuth2 = l.oauth2(at+".oauth2", a.OAuth2)
	}
	if a.MTLS != nil {
		kinds = append(kinds, "mtls")
		auth.MTLS = &delivery.MTLSAuth{Certificate: l.secret(at+".mtls.certificate", a.MTLS.Certificate), Key: l.secret(at+".mtls.key", a.MTLS.Key)}
	}
	if len(kinds) > 1 {
		l.decoder.fail(at+"."+kinds[1], "", "a call authenticates in one way, and "+kinds[0]+" is given already", "keep one")
	}
	return auth
}

// keyName checks that a key has a place of its own in the request.
func (l *loader) keyName(at string, key *delivery.APIKeyAuth, c *fileCall) {
	others := c.Headers
	switch problem, remedy := delivery.KeyHeader(key.Name); {
	case key.Name == "":
		l.decoder.fail(at, "", "the key needs a name", "write the name of the header or query parameter")
		return
	case key.In == "query":
		others = c.Query
	case problem != "":
		l.decoder.fail(at, key.Name, problem, remedy)
		return
	}
	if slices.ContainsFunc(others, func(p request.Pair) bool { return strings.EqualFold(p.Name, key.Name) }) {
		l.decoder.fail(at, key.Name, quoted(key.Name)+" is given beside auth already", "keep one")
	}
}

// oauth2 checks where a call's tokens come from.
func (l *loader) oauth2(at string, o *fileOAuth2) *delivery.OAuth2Auth {
	auth := &delivery.OAuth2Auth{TokenURL: o.TokenURL, Scopes: o.Scopes, TLS: l.trust(at+".tls", o.TLS),
		ClientID: l.secret(at+".client_id", o.ClientID), ClientSecret: l.secret(at+".client_secret", o.ClientSecret)}
	if u, err := url.Parse(o.TokenURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		l.decoder.fail(at+".token_url", "", "the token URL is not one", "write https://host/path")
	}
	if strings.HasPrefix(strings.ToLower(o.TokenURL), "http:") && auth.TLS != (delivery.TLS{}) {
		l.decoder.fail(at+".tls", "", "the token URL is not https", "write https://… as token_url, or leave tls out")
	}
	l.bounded(at+".params", len(o.Params), maxParams)
	own := map[string]string{"": "", "grant_type": "", "scope": "use scopes", "client_id": "use client_id", "client_secret": "use client_secret"}
	for i, p := range o.Params {
		if remedy, taken := own[p.Name]; taken {
			l.decoder.fail(fmt.Sprintf("%s.params[%d].name", at, i), p.Name, quoted(p.Name)+" is not a parameter that can be added",
				cmp.Or(remedy, "write what the token URL wants, such as audience"))
		}
		auth.Params = append(auth.Params, delivery.Param(p))
	}
	return auth
}

// tls checks what a receiver must show, and that there is a TLS to show it in: a
// client certificate over plain HTTP would protect nothing.
func (l *loader) tls(at string, c *fileCall) delivery.TLS {
	t := l.trust(at+".tls", c.TLS)
	if strings.HasPrefix(strings.ToLower(c.URL), "http:") {
		if c.Auth.MTLS != nil {
			l.decoder.fail(at+".auth.mtls", "", "the call's URL is not https", "write https://… as its url, or leave mtls out")
		}
		if t != (delivery.TLS{}) {
			l.decoder.fail(at+".tls", "", "the call's URL is not https", "write https://… as its url, or leave tls out")
		}
	}
	return t
}

// trust checks what a server must show.
func (l *loader) trust(at string, f fileCallTLS) delivery.TLS {
	t := delivery.TLS{ServerName: f.ServerName}
	if f.CA != "" {
		t.CA = l.secret(at+".ca", f.CA)
	}
	if t.ServerName != "" && !hostPattern.MatchString(t.ServerName) {
		l.decoder.fail(at+".server_name", t.ServerName, quoted(t.ServerName)+" is not a host name", "write the name in the server's certificate")
	}
	return t
}

// sign checks the secrets of the Standard Webhooks signature, beside auth or in it.
func (l *loader) sign(at string, c *fileCall) []delivery.SecretRef {
	sign, path := c.Sign, at+".sign"
	if c.Auth.Sign != nil {
		if sign != nil {
			l.decoder.fail(at+".auth.sign", "", "sign is given beside auth already", "keep one")
		}
		sign, path = c.Auth.Sign, at+".auth.sign"
	}
	if sign == nil {
		return nil
	}
	if n := len(sign.Secrets); n == 0 || n > maxSecrets {
		l.decoder.fail(path+".secrets", "", fmt.Sprintf("a signature takes one to five secrets, not %d", n), "write secrets: [env:NAME], the newest first")
	}
	for i, s := range sign.Secrets {
		l.secret(fmt.Sprintf("%s.secrets[%d]", path, i), s)
	}
	return sign.Secrets
}

// secret checks a reference; the value itself never gets into an error.
func (l *loader) secret(path string, s delivery.SecretRef) delivery.SecretRef {
	if problem, remedy := checkSecret.mistake(string(s)); problem != "" {
		l.decoder.fail(path, "", problem, remedy)
	}
	l.secrets = append(l.secrets, secretPlace{path: path, line: l.decoder.line(path), ref: s})
	return s
}

// triggers compiles the triggers of the file and the built-in ones.
func (l *loader) triggers(s *Set) {
	for _, t := range l.file.Triggers {
		s.specs = append(s.specs, trigger.Spec{When: t.When, Call: t.Call, Segments: t.Segments, Legs: t.Legs, From: t.From, To: t.To,
			Channels: t.Channels, Queues: t.Queues, BusinessProcesses: t.BusinessProcesses, Dispositions: t.Dispositions,
			If: t.If, DryRun: t.DryRun})
	}
	if s.Engagement.Backend != "" {
		for _, name := range engagementNames {
			s.specs = append(s.specs, trigger.Spec{When: []string{name}, Call: name})
		}
	}
	set, err := trigger.Compile(s.specs, s.names)
	for _, p := range each[*trigger.Problem](err) {
		l.decoder.fail(fmt.Sprintf("triggers[%d].%s", p.Index, p.Path), p.Value, p.What, p.Remedy)
	}
	s.Triggers = set
}

// engagementNames are the built-in calls, each fired at the moment of its name.
var engagementNames = []string{"engage", "noengage"}

// engagementCalls are the callbacks of the GWE Engagement API: the command's own
// object under the parameter's name; 400 means FAULT, which no retry changes.
func engagementCalls(backend string) []fileCall {
	parameter := map[string]string{"engage": "ixnProfile", "noengage": "cancelData"}
	calls := make([]fileCall, 0, len(engagementNames))
	for _, name := range engagementNames {
		c := fileCall{Name: name, Method: "POST", URL: backend + "/backend/data/gateway/" + name}
		c.setDefaults()
		c.Missing = missing(request.MissingPark)
		c.Success = statuses{{From: 200, To: 200}}
		c.Final = outcomes{statuses: statuses{{From: 400, To: 400}}}
		c.JSON = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: parameter[name]},
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "${event." + parameter[name] + "}"},
		}}
		calls = append(calls, c)
	}
	return calls
}
