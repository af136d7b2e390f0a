package request

import (
	"fmt"
	"slices"
	"strings"

	"segue/dispatch"
	"segue/request/expr"
)

// reserved are the headers that Segue or the HTTP client sets.
var reserved = []string{"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade",
	"proxy-authorization", "proxy-connection", "keep-alive", "expect", "accept-encoding",
	"webhook-id", "webhook-timestamp", "webhook-signature", "idempotency-key"}

// compileHeaders compiles the headers of a call.
func (p *problems) compileHeaders(list []Pair) []pair {
	if len(list) > MaxPairs {
		p.add("headers", "", fmt.Sprintf("has %d entries, more than %d", len(list), MaxPairs), "leave some out")
		return nil
	}
	pairs := make([]pair, 0, len(list))
	for i, h := range list {
		at := fmt.Sprintf("headers[%d]", i)
		switch {
		case h.Name == "":
			p.add(at+".name", "", "a name is needed", "write {name: …, value: …}")
		case !isToken(h.Name):
			p.add(at+".name", h.Name, "is not a header name", "use letters, digits and dashes")
		case strings.EqualFold(h.Name, "Authorization"):
			p.add(at+".name", h.Name, "a credential in a header would stand in every history",
				"use auth: {bearer: env:NAME}, basic, api_key or oauth2")
		case slices.Contains(reserved, strings.ToLower(h.Name)):
			p.add(at+".name", h.Name, "is set by Segue itself", "leave it out")
		}
		l := p.compileLeaf(at+".value", h.Value, expr.InHeader)
		for _, part := range l.parts {
			if c, bad := control(part.literal); bad {
				p.add(at+".value", h.Value, fmt.Sprintf("a header cannot hold the character %U", c), "leave it out")
			}
		}
		pairs = append(pairs, pair{name: h.Name, leaf: *l})
	}
	return pairs
}

// renderHeaders writes the headers of every request, then the call's own.
func (r *rendering) renderHeaders() ([]dispatch.Header, error) {
	headers := make([]dispatch.Header, 0, len(r.fixed)+len(r.headers)+2)
	headers = append(headers, r.fixed...)
	headers = append(headers, dispatch.Header{Name: "webhook-id", Value: r.scope.Delivery.ID},
		dispatch.Header{Name: "Idempotency-Key", Value: r.scope.Delivery.ID})
	for i := range r.headers {
		h := &r.headers[i]
		text, absent, err := r.text(&h.leaf)
		if err != nil {
			return nil, err
		}
		if absent && r.missing == MissingOmit {
			continue
		}
		if len(text) > MaxHeader {
			return nil, tooLarge(h.leaf.path, MaxHeader)
		}
		if c, bad := control(text); bad {
			return nil, &Fault{Path: h.leaf.path, Reason: fmt.Sprintf("a header cannot hold the character %U", c)}
		}
		headers = append(headers, dispatch.Header{Name: h.name, Value: strings.Trim(text, " \t")})
	}
	return headers, nil
}

// control finds a character that would end or corrupt a header.
func control(s string) (rune, bool) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return rune(c), true
		}
	}
	return 0, false
}

// isToken tells whether a header name is one by RFC 9110.
func isToken(s string) bool {
	for _, c := range s {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return s != ""
}
