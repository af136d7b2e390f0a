package contract

import (
	"slices"
	"strings"
)

// credentials are parts of the names that headers and parameters with secrets often have.
var credentials = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "api_key"}

// IsCredential reports whether the name of a header or a parameter looks like that of a credential.
func IsCredential(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(credentials, func(s string) bool { return strings.Contains(name, s) })
}

// Masked returns the request for people to read: the value of a header or a parameter whose name looks like that of a
// credential is replaced by ***. A request contains no configured secret, but a value of the interaction may be one. Masked
// also returns the names of what it replaced.
func (r Request) Masked() (masked Request, names []string) {
	r.Headers = slices.Clone(r.Headers)
	for i, h := range r.Headers {
		if IsCredential(h.Name) && !strings.HasSuffix(h.Value, "***") {
			r.Headers[i] = Header{Name: h.Name, Value: "***"}
			names = append(names, "header "+h.Name)
		}
	}
	var parameters []string
	r.URL, parameters = MaskedURL(r.URL)
	return r, append(names, parameters...)
}

// MaskedURL returns a URL in which the value of a parameter that looks like a credential is replaced by ***. It also returns
// the names of what it replaced.
func MaskedURL(text string) (masked string, names []string) {
	path, query, ok := strings.Cut(text, "?")
	if !ok {
		return text, nil
	}
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		if name, _, ok := strings.Cut(p, "="); ok && IsCredential(name) {
			parameters[i] = name + "=***"
			names = append(names, "parameter "+name)
		}
	}
	return path + "?" + strings.Join(parameters, "&"), names
}
