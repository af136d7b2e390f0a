package stack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Answer is the answer to a request, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Raw    []byte
	// Body is the object in Raw; nil if there is none.
	Body map[string]any
}

// Problem returns the type of the problem that the answer is; empty if it is none.
func (a Answer) Problem() string {
	kind, _ := a.Body["type"].(string)
	return strings.TrimPrefix(kind, "urn:segue:")
}

// Send sends a request. The headers are pairs. A body is JSON unless they say otherwise.
func Send(ctx context.Context, client *http.Client, method, url, body string, headers ...string) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch name, value := headers[i], headers[i+1]; name {
		case "Host":
			r.Host = value
		case "Content-Type":
			r.Header.Set(name, value)
		default:
			r.Header.Add(name, value)
		}
	}
	return Do(client, r)
}

// Do sends a request.
func Do(client *http.Client, r *http.Request) (Answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	a := Answer{Status: response.StatusCode, Header: response.Header}
	a.Raw, err = io.ReadAll(response.Body)
	_ = json.Unmarshal(a.Raw, &a.Body) // an array, a text, or nothing
	return a, err
}

// Must sends a request, which has to succeed.
func Must(t testing.TB, method, url, body string, headers ...string) Answer {
	t.Helper()
	a, err := Send(t.Context(), http.DefaultClient, method, url, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	if a.Status >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, a.Status, a.Raw)
	}
	return a
}
