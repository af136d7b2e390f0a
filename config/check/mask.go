package check

import (
	"slices"
	"strings"

	"segue/contract"
)

// Mask returns a request without what looks like a credential in it, for display.
func Mask(r contract.Request) contract.Request {
	r.Headers = slices.Clone(r.Headers)
	mask(&r)
	return r
}

// credentials are parts of the names that headers and parameters with secrets often have.
var credentials = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "api_key"}

func isCredential(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(credentials, func(s string) bool { return strings.Contains(name, s) })
}

// mask hides what looks like a credential, and names it.
func mask(r *contract.Request) (names []string) {
	for i, h := range r.Headers {
		if isCredential(h.Name) && !strings.HasSuffix(h.Value, "***") {
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
		if name, _, ok := strings.Cut(p, "="); ok && isCredential(name) {
			parameters[i] = name + "=***"
			names = append(names, "parameter "+name)
		}
	}
	return path + "?" + strings.Join(parameters, "&"), names
}
