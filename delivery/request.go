package delivery

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"segue/contract"
	"segue/excerpt"
)

// reservedHeaders are headers that a configured call cannot set: the connection's, and those
// that carry the delivery's identity.
var reservedHeaders = map[string]bool{
	"Accept-Encoding": true, "Connection": true, "Content-Length": true, "Host": true, "Keep-Alive": true, "Proxy-Connection": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Idempotency-Key": true, "X-Idempotency-Key": true,
	"Webhook-Id": true, "Webhook-Timestamp": true, "Webhook-Signature": true,
}

// newRequest turns a rendered request into the HTTP one of an attempt, counted
// from 1, without credentials.
// Errors name what is wrong with it and repeat none of its values.
func newRequest(p Policy, r contract.Request, attempt int) (*http.Request, error) {
	target, err := parseURL(r.URL)
	if err != nil {
		return nil, err
	}
	if !isToken(r.Method) {
		return nil, errors.New("the method is not one of HTTP")
	}
	var body io.Reader = http.NoBody
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequest(r.Method, target.String(), body)
	if err != nil {
		return nil, errors.New("the request is not valid HTTP")
	}
	return req, setHeaders(req, p, r, attempt)
}

func parseURL(text string) (*url.URL, error) {
	target, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the URL is not valid")
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, errors.New("the URL is neither http nor https")
	case target.Hostname() == "":
		return nil, errors.New("the URL names no host")
	case target.User != nil:
		return nil, errors.New("the URL holds credentials, which belong into auth")
	}
	target.Fragment, target.RawFragment = "", ""
	return target, nil
}

func setHeaders(req *http.Request, p Policy, r contract.Request, attempt int) error {
	for _, h := range r.Headers {
		value := h.Text(attempt)
		if !isToken(h.Name) || !isFieldValue(value) {
			return fmt.Errorf("header %q is not valid HTTP", excerpt.Cut(h.Name, 64))
		}
		switch name := textproto.CanonicalMIMEHeaderKey(h.Name); {
		case reservedHeaders[name]:
		case name == "Authorization", name == "User-Agent", name == "Content-Type":
			req.Header.Set(name, value)
		default:
			// As it is written: some receivers know only one case.
			req.Header[h.Name] = append(req.Header[h.Name], value)
		}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", contract.UserAgent)
	}
	req.Header[headerID] = []string{r.ID}
	req.Header.Set("Idempotency-Key", r.ID)
	return nil
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func isFieldValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
