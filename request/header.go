package request

import (
	"fmt"
	"slices"
	"strings"

	"segue/contract"
	"segue/expr"
)

// reserved are the headers that Segue or the HTTP client sets.
var reserved = []string{"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade",
	"proxy-authorization", "proxy-connection", "keep-alive", "expect", "accept-encoding",
	"webhook-id", "webhook-timestamp", "webhook-signature", "idempotency-key"}

// compileHeaders compiles the headers of a call.
func (p *problems) compileHeaders(list []Pair) []pair {
	if len(list) > MaxPairs {
		p.add("headers", "", fmt.Sprintf("has %d entries, more than %d", len(list), MaxPairs), "remove some")
		return nil
	}
	pairs := make([]pair, 0, len(list))
	for i, h := range list {
		at := fmt.Sprintf("headers[%d]", i)
		switch {
		case h.Name == "":
			p.add(at+".name", "", "the name is missing", "write {name: …, value: …}")
		case !isToken(h.Name):
			p.add(at+".name", h.Name, "this is not a header name", "use letters, digits and dashes")
		case strings.EqualFold(h.Name, "Authorization"):
			p.add(at+".name", h.Name, "a credential in a header would be in every history",
				"use auth: {bearer: env:NAME}, basic, api_key or oauth2")
		case slices.Contains(reserved, strings.ToLower(h.Name)):
			p.add(at+".name", h.Name, "Segue sets this header", "remove it")
		}
		p.plain(at+".name", h.Name, "a name")
		l := p.compileLeaf(at+".value", h.Value, expr.InHeader)
		attempts := 0
		for _, part := range l.parts {
			if part.attempt {
				attempts++
			}
			if c, bad := control(part.literal); bad {
				p.add(at+".value", h.Value, fmt.Sprintf("a header cannot contain the character %U", c), "remove it")
			}
		}
		if attempts > 1 {
			p.add(at+".value", h.Value, "a header can contain the attempt only once", "write ${delivery.attempt} once")
		}
		pairs = append(pairs, pair{name: h.Name, leaf: *l})
	}
	return pairs
}

// renderHeaders returns the headers of every request, then those of the call.
func (r *rendering) renderHeaders() ([]contract.Header, error) {
	headers := make([]contract.Header, 0, len(r.fixed)+len(r.headers)+2)
	headers = append(headers, r.fixed...)
	headers = append(headers, contract.Header{Name: "webhook-id", Value: r.scope.Delivery.ID},
		contract.Header{Name: "Idempotency-Key", Value: r.scope.Delivery.ID})
	for i := range r.headers {
		header, absent, err := r.renderHeader(&r.headers[i])
		if err != nil {
			return nil, err
		}
		if !absent || r.missing != MissingOmit {
			headers = append(headers, header)
		}
	}
	return headers, nil
}

// renderHeader renders one header of the call. absent reports that some value of it does
// not exist; the header is then empty.
func (r *rendering) renderHeader(h *pair) (header contract.Header, absent bool, err error) {
	empty := contract.Header{Name: h.name}
	before, after := h.leaf, leaf{path: h.leaf.path}
	at := slices.IndexFunc(before.parts, func(p part) bool { return p.attempt })
	if at >= 0 {
		before.parts, after.parts = before.parts[:at], before.parts[at+1:]
	}
	header = contract.Header{Name: h.name, Attempt: at >= 0}
	if header.Value, absent, err = r.headerText(&before); absent || err != nil {
		return empty, absent, err
	}
	if header.After, absent, err = r.headerText(&after); absent || err != nil {
		return empty, absent, err
	}
	header.Value, header.After = strings.TrimLeft(header.Value, " \t"), strings.TrimRight(header.After, " \t")
	if !header.Attempt {
		header.Value = strings.TrimRight(header.Value, " \t")
	}
	if len(header.Value)+len(header.After) > MaxHeader {
		return empty, false, tooLarge(h.leaf.path, MaxHeader)
	}
	return header, false, nil
}

// headerText returns the text of a header, or of its part before or after the attempt.
func (r *rendering) headerText(l *leaf) (text string, absent bool, err error) {
	if text, absent, err = r.text(l); absent || err != nil {
		return "", absent, err
	}
	if c, bad := control(text); bad {
		return "", false, &Fault{Path: l.path, Reason: fmt.Sprintf("a header cannot contain the character %U", c)}
	}
	return text, false, nil
}

// control returns the first character that would end or corrupt a header.
func control(s string) (rune, bool) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return rune(c), true
		}
	}
	return 0, false
}

// isToken reports whether a header name is valid by RFC 9110.
func isToken(s string) bool {
	for _, c := range s {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return s != ""
}
