// Command gohttp plays one phone call against a running Segue (`segue dev`) through the API /v1, with the
// standard library alone: it starts an interaction, sends commands, handles a refusal, repeats a
// command, and reads the state.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(0)
	c := &client{
		base:  cmp.Or(os.Getenv("SEGUE_GATEWAY"), "http://127.0.0.1:8080") + "/v1",
		token: os.Getenv("SEGUE_TOKEN"),
	}
	if err := play(context.Background(), c, fmt.Sprintf("gohttp-%d", time.Now().UnixNano())); err != nil {
		log.Fatal("gohttp: ", err)
	}
}

// play plays a call that an agent accepts, and prints what happens.
func play(ctx context.Context, c *client, id string) error {
	var started struct{ ID string }
	start := map[string]any{
		"id": id, "channel": "inbound", "ani": "+4930123456",
		"commands": []any{map[string]string{"command": "place_in_queue", "queue": "sales"}},
	}
	if err := c.post(ctx, "/interactions", id+"-start", start, &started); err != nil {
		return err
	}
	fmt.Println("started", started.ID)

	call := "/interactions/" + url.PathEscape(started.ID)
	for _, command := range []struct{ name, key, payload string }{
		{"offer", "acd-1", `{"agent":{"id":"ada","name":"Ada"}}`},
		{"accept", "acd-2", `{"agent":"ada"}`},
		{"accept", "acd-2", `{"agent":"ada"}`}, // a repeat: it succeeds and changes nothing
		{"connect", "acd-3", `{}`},             // refused: the call is connected already
		{"disconnect", "acd-4", `{}`},
		{"complete", "acd-5", `{"disposition":"SOLD"}`},
	} {
		var answer struct {
			State     string
			Duplicate bool
		}
		err := c.post(ctx, call+"/commands/"+command.name, command.key, json.RawMessage(command.payload), &answer)
		var refused *problem
		switch {
		case errors.As(err, &refused) && refused.Type == "urn:segue:illegal-command":
			fmt.Printf("%s was refused in state %s; legal are %v, …\n", command.name, refused.State, refused.Legal[:3])
		case err != nil:
			return err
		case answer.Duplicate:
			fmt.Printf("%s: %s, a repeat\n", command.name, answer.State)
		default:
			fmt.Printf("%s: %s\n", command.name, answer.State)
		}
	}

	var state struct {
		State, Outcome string
		Sequence       int
	}
	if err := c.do(ctx, http.MethodGet, call, "", nil, &state); err != nil {
		return err
	}
	fmt.Printf("%s after %d events: %s\n", state.State, state.Sequence, state.Outcome)
	return nil
}

// client sends requests to the API.
type client struct {
	base  string
	token string // an API key or a JWT; `segue dev` needs none
}

// problem is an error of the API, as RFC 9457 describes it.
type problem struct {
	Type, Title, Detail, State string
	Status                     int
	Legal                      []string
}

func (p *problem) Error() string { return fmt.Sprintf("%d: %s", p.Status, cmp.Or(p.Detail, p.Title)) }

// post sends a command with its key.
func (c *client) post(ctx context.Context, path, key string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, key, text, answer)
}

// patience is how long a request may take with all its repeats.
const patience = 2 * time.Minute

// do sends a request until it has an outcome. A repeat has the same key, so that a command which
// Segue has applied already changes nothing.
func (c *client) do(ctx context.Context, method, path, key string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		wait, err := c.once(ctx, method, path, key, body, answer)
		if wait < 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(max(wait, pause)):
		}
	}
}

// once sends a request. It returns how long to wait before a repeat, or -1 if the outcome is known.
func (c *client) once(ctx context.Context, method, path, key string, body []byte, answer any) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return 0, err // the connection broke: the outcome is open
	case response.StatusCode < 300:
		return -1, json.Unmarshal(text, answer)
	}
	refused := &problem{Status: response.StatusCode, Title: response.Status}
	if err := json.Unmarshal(text, refused); err != nil {
		return -1, fmt.Errorf("%s: %w", response.Status, err)
	}
	if refused.Status == http.StatusServiceUnavailable || refused.Status == http.StatusTooManyRequests {
		seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
		if err != nil {
			seconds = 1
		}
		return time.Duration(seconds) * time.Second, refused
	}
	return -1, refused
}
