package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"segue/bench"
	"segue/client"
	"segue/contract"
)

// contactCenter is the contact center of the interactions.
const contactCenter = "bench"

// contender is one way to send commands.
type contender struct {
	name string
	// worker is the process that answers.
	worker *bench.Child
	// open starts an interaction, send sends its n-th command; both return when it is answered.
	open    func(ctx context.Context, id string) error
	send    func(ctx context.Context, id string, n int) error
	started atomic.Int64
}

func (c *contender) newID(part string) string {
	return fmt.Sprintf("%s-%s-%d", part, c.name, c.started.Add(1))
}

func nameOf(id string) client.Name { return client.Name{ContactCenter: contactCenter, ID: id} }

func startOf(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"contact_center":%q,%s}`, id, contactCenter, bench.StartFields)
}

// direct is a Go program that sends updates.
func direct(name string, target *client.Client, worker *bench.Child) *contender {
	return &contender{
		name: name, worker: worker,
		open: func(ctx context.Context, id string) error {
			_, err := target.Open(ctx, nameOf(id), client.Opening{Start: startOf(id), ID: rand.Text()})
			return err
		},
		send: func(ctx context.Context, id string, n int) error {
			command := bench.Commands[n]
			var answer contract.Answer
			_, err := target.SendUpdate(ctx, nameOf(id), client.Message{
				Name: command.Name, ID: rand.Text(), Payload: command.Payload(bench.EventID(id, n)),
			}, &answer)
			if err == nil {
				err = check(answer)
			}
			return err
		},
	}
}

// check returns an error if an answer is not that of a command which was applied now.
func check(answer contract.Answer) error {
	if answer.Duplicate || answer.Waiting || answer.Revision == 0 {
		return fmt.Errorf("void: the answer is %+v", answer)
	}
	return nil
}

// platform is a program that sends POSTs to a gateway.
type platform struct {
	http *http.Client
	url  string
	// key is the API key; empty for none.
	key string
}

func newPlatform(url, key string) *platform {
	return &platform{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}, url: url, key: key}
}

func (p *platform) contender(name string, worker *bench.Child) *contender {
	return &contender{
		name: name, worker: worker,
		open: func(ctx context.Context, id string) error {
			var started struct{ ID string }
			return p.post(ctx, "/v1/interactions", startOf(id), http.StatusCreated, &started)
		},
		send: func(ctx context.Context, id string, n int) error {
			command := bench.Commands[n]
			var answer contract.Answer
			err := p.post(ctx, "/v1/interactions/"+id+"/commands/"+command.Name, command.Payload(bench.EventID(id, n)), http.StatusOK, &answer)
			if err == nil {
				err = check(answer)
			}
			return err
		},
	}
}

// post sends a request and decodes its answer, which must have a status.
func (p *platform) post(ctx context.Context, path string, body []byte, status int, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Segue-Contact-Center", contactCenter)
	if p.key != "" {
		request.Header.Set("X-API-Key", p.key)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("void: POST %s is answered with %s: %s", path, response.Status, text)
	}
	return json.Unmarshal(text, answer)
}

// isReady reports whether the gateway is ready.
func (p *platform) isReady(ctx context.Context) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", nil)
	if err != nil {
		return false, err
	}
	response, err := p.http.Do(request)
	if err != nil {
		return false, err
	}
	return response.StatusCode == http.StatusOK, response.Body.Close()
}
