package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wire is a client over HTTP.
type wire struct {
	url, agent, id string
	client         *http.Client
}

func (c *wire) send(body string) ([]map[string]any, error) {
	r, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Agent", c.agent)
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%d: %w: %s", answer.StatusCode, err, text)
	}
	return all, nil
}

func (c *wire) open() error {
	all, err := c.send(`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]`)
	if err != nil {
		return err
	}
	c.id, _ = all[0]["clientId"].(string)
	_, err = c.send(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":"/v2/me/calls"}]`, c.id))
	return err
}

// connect returns the revisions of what comes.
func (c *wire) connect() (revisions []int64, err error) {
	all, err := c.send(fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling"}]`, c.id))
	for _, m := range all {
		if data, isMessage := m["data"].(map[string]any); isMessage {
			revisions = append(revisions, int64(data["revision"].(float64)))
		}
	}
	return revisions, err
}

// TestSessionsComeAndGoWhileChangesAreSent uses the network: held connects, and clients that leave as they like.
func TestSessionsComeAndGoWhileChangesAreSent(t *testing.T) {
	b, stop := open(nil)
	defer stop()
	server := httptest.NewServer(b.server)
	defer server.Close()
	connection := &http.Client{Transport: &http.Transport{}}
	defer connection.CloseIdleConnections()
	newWire := func() *wire { return &wire{url: server.URL, agent: "ada", client: connection} }

	const changes = 300
	b.stream.Publish(b.world.Start("i1", callToSales))
	steady := newWire()
	require.NoError(t, steady.open())
	ended := make(chan struct{})
	var visitors sync.WaitGroup
	for i := range 6 {
		visitors.Go(func() {
			for turn := i; ; turn++ {
				select {
				case <-ended:
					return
				default:
				}
				c := newWire()
				if c.open() != nil {
					return
				}
				_, _ = c.connect() // the first one is not held
				if turn%2 == 0 {
					_, _ = c.send(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, c.id))
				}
			}
		})
	}
	go func() {
		b.stream.Publish(b.world.Must("i1", "offer", `{"agent":"ada"}`))
		b.stream.Publish(b.world.Must("i1", "accept", `{"agent":"ada"}`))
		for i := range changes {
			b.stream.Publish(b.world.Must("i1", []string{"hold", "retrieve"}[i%2], `{}`))
		}
	}()
	var last int64 = 1
	for deadline := time.Now().Add(time.Minute); last < changes+3; {
		require.True(t, time.Now().Before(deadline), "revision %d is the last that came", last)
		revisions, err := steady.connect()
		require.NoError(t, err)
		for _, revision := range revisions {
			if revision != last { // hold and retrieve change the status and what others see
				require.Equal(t, last+1, revision)
			}
			last = revision
		}
	}
	close(ended)
	visitors.Wait()
}
