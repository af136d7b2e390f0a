package delivery

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// tokenTransport makes of a token endpoint's answers what RFC 6749 says that they are.
// Endpoints label JSON as text or as a page, put a byte order mark before it, write
// numbers as texts, answer with a form; other clients read all of that.
type tokenTransport struct{ http.RoundTripper }

// RoundTrip also bounds the answers.
func (t tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenResponse))
	if err != nil {
		return nil, err
	}
	if plain, ok := normalizedToken(content{string(body), resp.Header.Get("Content-Type")}); ok {
		body, resp.Header = plain, http.Header{"Content-Type": {"application/json"}}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// normalizedToken is an answer in JSON with what a client needs of it; false if it holds
// neither a token nor an error.
func normalizedToken(a content) ([]byte, bool) {
	text, problem := a.text()
	if problem != "" {
		return nil, false
	}
	text = strings.TrimSpace(text)
	fields, problem := parseJSON(text)
	if problem != "" {
		form, err := url.ParseQuery(text)
		if err != nil {
			return nil, false
		}
		fields = map[string]any{}
		for name := range form {
			fields[name] = form.Get(name)
		}
	}
	plain := map[string]any{}
	for _, name := range []string{"access_token", "token_type", "error"} {
		if value, ok := fields[name].(string); ok && value != "" {
			plain[name] = value
		}
	}
	if kind, _ := plain["token_type"].(string); strings.EqualFold(kind, "BearerToken") { // Apigee's word for it
		plain["token_type"] = "Bearer"
	}
	if seconds, ok := wholeSeconds(fields["expires_in"]); ok {
		plain["expires_in"] = seconds
	}
	if plain["access_token"] == nil && plain["error"] == nil {
		return nil, false
	}
	encoded, err := json.Marshal(plain)
	return encoded, err == nil
}

// wholeSeconds reads 3600, "3600", 3600.0 and 3.6e3.
func wholeSeconds(value any) (int64, bool) {
	text, ok := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		text, ok = number.String(), true
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if !ok || err != nil || math.Abs(seconds) > math.MaxInt32 {
		return 0, false
	}
	return int64(seconds), true
}
