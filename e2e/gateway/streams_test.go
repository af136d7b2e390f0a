package gateway_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stream is an open stream of events.
type stream struct {
	status int
	lines  chan string // closed when the stream has ended
	close  context.CancelFunc
}

// streams opens every stream of the document.
func openStreams(t *testing.T, c caller, query string, headers ...string) []*stream {
	t.Helper()
	var list []*stream
	for _, o := range operations(t) {
		if o.isStream {
			list = append(list, openStream(t, c, o.at("x")+query, headers...))
		}
	}
	require.NotEmpty(t, list, "/v1/events at least")
	return list
}

func openStream(t *testing.T, c caller, path string, headers ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, served.url+path, nil)
	require.NoError(t, err)
	headers = append(c.headers(), headers...)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	require.NoError(t, err)
	s := &stream{status: response.StatusCode, lines: make(chan string, 10_000), close: cancel}
	go func() {
		defer close(s.lines)
		defer response.Body.Close()
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	return s
}

// until returns everything up to a line with the text.
func (s *stream) until(t *testing.T, text string) string {
	t.Helper()
	var all strings.Builder
	for limit := time.After(patience); ; {
		select {
		case line, open := <-s.lines:
			require.True(t, open, "the stream has ended: %s", all.String())
			all.WriteString(line + "\n")
			if strings.Contains(line, text) {
				return all.String()
			}
		case <-limit:
			require.Fail(t, "the event does not come", "%s: %s", text, all.String())
		}
	}
}

// ends requires that the stream ends in time.
func (s *stream) ends(t *testing.T, within time.Duration) {
	t.Helper()
	for limit := time.After(within); ; {
		select {
		case _, open := <-s.lines:
			if !open {
				return
			}
		case <-limit:
			require.Fail(t, "the stream is still open")
		}
	}
}

// TestStreamsHaveNoForeignEvent: whoever a stream is for, an event of another contact center or, for an
// agent, of an interaction without the agent is never in it, nor in what follows a resync.
func TestStreamsHaveNoForeignEvent(t *testing.T) {
	var streams, agents []*stream
	for _, headers := range [][]string{nil, {"Last-Event-ID", "forged-1-0"}, {"Last-Event-ID", "0"}} {
		streams = append(streams, openStreams(t, elsewhere, "?include=state", headers...)...)
		agents = append(agents, openStreams(t, carl, "?include=state", headers...)...)
	}
	for _, query := range []string{"?contact_center=acme", "?contact_center=acme&include=state"} {
		for _, s := range openStreams(t, elsewhere, query) {
			require.Equal(t, http.StatusForbidden, s.status)
		}
	}
	for _, query := range []string{"?agent=ann", "?agent=carl&agent=ann"} {
		for _, s := range openStreams(t, carl, query) {
			require.Equal(t, http.StatusForbidden, s.status)
		}
	}
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions",
		`{"id":"private","channel":"inbound","user_data":{"note":"`+secret+`"},"commands":[`+offered+`,`+accepted+`]}`)
	elsewhere.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"marker-of-umbrella","channel":"inbound"}`)
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"marker-of-carl","channel":"inbound","commands":[{"command":"offer","agent":"carl"}]}`)
	for _, s := range streams {
		all := s.until(t, "marker-of-umbrella")
		require.NotContains(t, all, secret)
		require.NotContains(t, all, `"acme"`)
	}
	for _, s := range agents {
		all := s.until(t, "marker-of-carl")
		require.NotContains(t, all, secret)
		require.NotContains(t, all, "private")
	}
}

// TestAStreamHasTheCapabilitiesOfItsCaller compares the states of events with those that each may read.
func TestAStreamHasTheCapabilitiesOfItsCaller(t *testing.T) {
	for _, c := range within {
		s := openStreams(t, c, "?include=state&interaction=streamed-"+c.name)[0]
		require.Equal(t, http.StatusOK, s.status)
		thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions",
			`{"id":"streamed-`+c.name+`","channel":"inbound","commands":[{"command":"offer","agents":["ann","bob","carl"]}]}`)
		all := s.until(t, `"state":"offered"`)
		read := textsOf(c.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/streamed-"+c.name, "").Body, "capabilities")
		require.Contains(t, all[strings.LastIndex(all, "data:"):], `"capabilities":["`+strings.Join(read, `","`)+`"]`, c.name)
	}
}

// TestStreamsEndWithTheirCredential: a key that a reload removes, and a token that expires, end what they
// have opened.
func TestStreamsEndWithTheirCredential(t *testing.T) {
	dora := caller{name: "dora", role: "supervisor", centers: "acme"}
	reloaded(t, strings.Replace(guarded(), "api_keys:\n", "api_keys:\n"+dora.entry(), 1))
	var mine []*stream
	mine = append(mine, openStreams(t, dora, "")...)
	b := newBrowser(t, dora)
	mine = append(mine, openStreams(t, nobody, "", "Cookie", b.cookie)...)
	others := openStreams(t, theSupervisor, "")
	token := caller{name: "ann", token: sign("RS256", issuer.key(), issuer.claims(map[string]any{"exp": time.Now().Add(8 * time.Second).Unix()}), nil)}
	short := openStreams(t, token, "")
	for _, s := range append(append(mine, short...), others...) {
		require.Equal(t, http.StatusOK, s.status)
	}
	reloaded(t, guarded())
	for _, s := range append(mine, short...) {
		s.ends(t, 2*time.Minute)
	}
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"marker-of-others","channel":"inbound"}`)
	for _, s := range others {
		s.until(t, "marker-of-others")
	}
}
