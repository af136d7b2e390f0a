package request

import (
	"fmt"
	"net/url"
	"strings"

	"segue/expr"
)

// target is the URL of a call. Scheme and host are literal, so that data never chooses the
// host.
type target struct {
	path     string
	parts    []targetPart
	query    []pair
	hasQuery bool
}

// targetPart is a part and the context that it is escaped for.
type targetPart struct {
	part
	inQuery bool
}

func (p *problems) compileTarget(s string, query []pair) target {
	t := target{path: "url", query: query}
	if s == "" {
		p.add("url", s, "a call needs a URL", "write url: https://host/path")
		return t
	}
	l := p.compileLeaf("url", s, expr.InBody)
	var probe strings.Builder
	for i, part := range l.parts {
		if part.dynamic() {
			if i == 0 || !pastHost(probe.String()) {
				p.add("url", s, "the scheme and the host of a URL cannot come from data",
					"write them out and use expressions in the path or the query")
				return t
			}
			probe.WriteString("x")
		} else {
			if c := badURLChar(part.literal); c != "" {
				p.add("url", s, fmt.Sprintf("a URL cannot contain %s", c), "write it percent-encoded")
				return t
			}
			probe.WriteString(part.literal)
		}
		t.parts = append(t.parts, targetPart{part, t.hasQuery && part.dynamic()})
		t.hasQuery = t.hasQuery || strings.Contains(part.literal, "?")
	}
	if len(l.parts) > 0 {
		p.checkURL(s, probe.String())
	}
	return t
}

// pastHost reports whether the beginning of a URL includes the whole scheme and host.
func pastHost(s string) bool {
	_, rest, ok := strings.Cut(s, "://")
	return ok && strings.ContainsAny(rest, "/?")
}

func (p *problems) checkURL(s, probe string) {
	u, err := url.Parse(probe)
	switch {
	case err != nil:
		p.add("url", s, "this is not a URL", "write https://host/path")
	case u.Scheme != "http" && u.Scheme != "https":
		p.add("url", s, "the scheme of a URL is http or https", "write https://host/path")
	case u.Hostname() == "":
		p.add("url", s, "the URL has no host", "write https://host/path")
	case u.User != nil:
		p.add("url", "", "a URL cannot contain a user and a password", "use auth: {basic: {username: env:NAME, password: env:NAME}}")
	case strings.Contains(probe, "#"):
		p.add("url", s, "a fragment is never sent", "remove # and what follows it, or write %23")
	case len(s) > MaxURL:
		p.add("url", "", fmt.Sprintf("the URL is longer than %d bytes", MaxURL), "shorten it")
	case dotSegment(u.Path):
		p.add("url", s, "the path has a . or .. segment", "write the path out")
	}
}

// badURLChar returns the first character that a URL cannot contain unescaped.
func badURLChar(s string) string {
	for _, c := range s {
		if c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}", c) {
			return fmt.Sprintf("%q", c)
		}
	}
	return ""
}

func dotSegment(path string) bool {
	for s := range strings.SplitSeq(path, "/") {
		if s == "." || s == ".." {
			return true
		}
	}
	return false
}

// traverses reports whether a path has a . or .. segment for a receiver that decodes it
// once or twice, or that reads a backslash as a slash.
func traverses(path string) bool {
	for range 2 {
		if dotSegment(strings.ReplaceAll(path, `\`, "/")) {
			return true
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return false // no receiver decodes it further
		}
		path = decoded
	}
	return dotSegment(strings.ReplaceAll(path, `\`, "/"))
}

// render writes the URL. A value that does not exist is empty in it; only a parameter of
// the query list is left out by the policy omit.
func (t *target) render(r *rendering) (string, error) {
	var b strings.Builder
	if err := t.writeParts(r, &b); err != nil {
		return "", err
	}
	path, _, _ := strings.Cut(b.String(), "?") // no value has a ?: it is escaped
	if len(t.parts) > 1 && traverses(path) {
		return "", &Fault{Path: t.path, Reason: "a value makes a . or .. segment of the path"}
	}
	if err := t.writeQuery(r, &b); err != nil {
		return "", err
	}
	if b.Len() > MaxURL {
		return "", tooLarge(t.path, MaxURL)
	}
	return b.String(), nil
}

// writeParts writes the URL as the call gives it, each value escaped for its place.
func (t *target) writeParts(r *rendering, b *strings.Builder) error {
	for i := range t.parts {
		p := &t.parts[i]
		if !p.dynamic() {
			b.WriteString(p.literal)
			continue
		}
		text, _, err := r.resolve(t.path, &p.part)
		if err != nil {
			return err
		}
		if len(text) > MaxURL {
			return tooLarge(t.path, MaxURL)
		}
		b.WriteString(p.escape(text))
	}
	return nil
}

func (p *targetPart) escape(text string) string {
	if p.inQuery {
		return url.QueryEscape(text)
	}
	return url.PathEscape(text)
}

// writeQuery adds the parameters of the query list.
func (t *target) writeQuery(r *rendering, b *strings.Builder) error {
	separator := t.firstSeparator(b.String())
	return r.parameters(t.query, func(name, text string) error {
		if len(text) > MaxURL || b.Len() > MaxURL {
			return tooLarge(t.path, MaxURL)
		}
		b.WriteString(separator)
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(text))
		separator = "&"
		return nil
	})
}

// firstSeparator is what the first parameter needs before it: nothing if the URL ends
// with a separator of its own.
func (t *target) firstSeparator(written string) string {
	switch {
	case !t.hasQuery:
		return "?"
	case strings.HasSuffix(written, "?"), strings.HasSuffix(written, "&"):
		return ""
	}
	return "&"
}

func tooLarge(path string, limit int) error {
	return &Fault{Path: path, Reason: fmt.Sprintf("is larger than %d KiB", limit>>10)}
}
