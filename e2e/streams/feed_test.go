package streams_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"os"

	"github.com/stretchr/testify/require"

	"segue/client/feed"
	"segue/config"
	"segue/connect"
	"segue/embedded"
	"segue/gateway/auth"
	"segue/gateway/platform"
	"segue/interaction"
	"segue/worker/local"
)

// line is one line of an answer.
type line struct {
	Line        int
	Interaction string
	EventID     string `json:"event_id"`
	Status      string
	Answer      map[string]any
	Problem     *problem
	Summary     *summary
}

type problem struct {
	Type   string
	Status int
	Detail string
}

type summary struct{ Lines, Interactions, Accepted, Duplicates, Rejected, Unknown int }

// linesOf reads an answer: the results, and the summary at last.
func linesOf(t *testing.T, body io.Reader) (results []line, last line) {
	t.Helper()
	decoder := json.NewDecoder(body)
	for {
		var l line
		err := decoder.Decode(&l)
		if err == io.EOF {
			require.Fail(t, "the answer has no summary")
		}
		require.NoError(t, err)
		if l.Summary != nil {
			require.ErrorIs(t, decoder.Decode(&l), io.EOF, "the summary is the last line")
			return results, l
		}
		results = append(results, l)
	}
}

// feed sends a feed and returns its results.
func (c *center) feed(key, query string, body io.Reader) ([]line, line) {
	c.Helper()
	response := c.send(0, key, http.MethodPost, "/v1/feed"+query, body, "Content-Type", "application/x-ndjson")
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		require.Equal(c, http.StatusOK, response.StatusCode, "%s", text)
	}
	require.Equal(c, "application/x-ndjson", response.Header.Get("Content-Type"))
	return linesOf(c.T, response.Body)
}

// dayLines returns the lines of the first interactions of the demo's day.
func dayLines(t *testing.T, interactions int) (text []byte, byInteraction map[string][]int) {
	t.Helper()
	whole, err := os.ReadFile("../../examples/day.ndjson")
	require.NoError(t, err)
	byInteraction = map[string][]int{}
	number := 0
	for l := range bytes.Lines(whole) {
		var named line
		require.NoError(t, json.Unmarshal(l, &named))
		if byInteraction[named.Interaction] == nil && len(byInteraction) == interactions {
			continue
		}
		number++
		text = append(text, l...)
		byInteraction[named.Interaction] = append(byInteraction[named.Interaction], number)
	}
	return text, byInteraction
}

// TestAFeedOfTheDayCountsAsTheCommandDoes feeds a part of the day, with SEGUE_WHOLE=1 a large one.
func TestAFeedOfTheDayCountsAsTheCommandDoes(t *testing.T) {
	interactions := 80
	if os.Getenv("SEGUE_WHOLE") != "" {
		interactions = 200
	}
	text, byInteraction := dayLines(t, interactions)
	direct := newCenter(t)
	want, err := feed.Run(t.Context(), segue.Client, bytes.NewReader(text), feed.Options{ContactCenter: direct.name})
	require.NoError(t, err)
	require.NotEmpty(t, want.Rejected)
	require.NotZero(t, want.Duplicates)
	for _, query := range []string{"", "?via=signal"} {
		c := newCenter(t)
		for _, isAgain := range []bool{false, true} {
			results, last := c.feed("platform", query, bytes.NewReader(text))
			require.Nil(t, last.Problem)
			counted := summary{Lines: want.Lines, Interactions: want.Interactions, Accepted: want.Accepted, Duplicates: want.Duplicates, Rejected: len(want.Rejected)}
			if isAgain {
				counted.Accepted, counted.Duplicates = 0, want.Accepted+want.Duplicates
			}
			require.Equal(t, counted, *last.Summary, "%s, again: %v", query, isAgain)
			require.Len(t, results, want.Lines)
			requireInOrder(t, results, byInteraction)
			for _, r := range results {
				require.Equal(t, r.Status == "rejected", r.Problem != nil, "%+v", r)
			}
			for _, refused := range want.Rejected {
				require.Contains(t, results, find(results, refused.Line))
				require.Equal(t, "rejected", find(results, refused.Line).Status)
				require.Equal(t, refused.EventID, find(results, refused.Line).EventID)
			}
		}
	}
}

func find(results []line, number int) line {
	for _, r := range results {
		if r.Line == number {
			return r
		}
	}
	return line{}
}

func requireInOrder(t *testing.T, results []line, byInteraction map[string][]int) {
	t.Helper()
	got := map[string][]int{}
	for _, r := range results {
		got[r.Interaction] = append(got[r.Interaction], r.Line)
	}
	require.Equal(t, byInteraction, got)
}

func TestAFeedAnswersEachLineBeforeTheNextIsSent(t *testing.T) {
	c := newCenter(t)
	reader, writer := io.Pipe()
	sent := make(chan string)
	go func() {
		for text := range sent {
			_, _ = io.WriteString(writer, text+"\n")
		}
		_ = writer.Close()
	}()
	sent <- `{"interaction":"one","command":"start","channel":"inbound"}`
	response := c.send(0, "platform", http.MethodPost, "/v1/feed", reader)
	defer response.Body.Close()
	answers := bufio.NewScanner(response.Body)
	next := func() (l line) {
		require.True(t, answers.Scan())
		require.NoError(t, json.Unmarshal(answers.Bytes(), &l))
		return l
	}
	l := next()
	require.True(t, strings.HasPrefix(l.EventID, "feed-"))
	l.EventID = ""
	require.Equal(t, line{Line: 1, Interaction: "one", Status: "accepted"}, l)
	sent <- `{"interaction":"one","command":"place_in_queue","queue":"sales","event_id":"e1"}`
	l = next()
	require.Equal(t, "queued", l.Answer["state"])
	require.Equal(t, "e1", l.EventID)
	sent <- `{"interaction":"one","command":"place_in_queue","queue":"sales","event_id":"e1"}`
	require.Equal(t, "duplicate", next().Status)
	sent <- `{"interaction":"one","command":"hold"}`
	l = next()
	require.Equal(t, "rejected", l.Status)
	require.Equal(t, "urn:segue:illegal-command", l.Problem.Type)
	require.True(t, strings.HasPrefix(l.EventID, "feed-"))
	sent <- `no json`
	l = next()
	require.Equal(t, 5, l.Line)
	require.Equal(t, "urn:segue:malformed", l.Problem.Type)
	sent <- `{"interaction":"two","command":"hold"}`
	require.Equal(t, "urn:segue:not-found", next().Problem.Type)
	close(sent)
	require.Equal(t, &summary{Lines: 6, Interactions: 2, Accepted: 2, Duplicates: 1, Rejected: 3}, next().Summary)
}

func TestWhoMayFeedWhat(t *testing.T) {
	c := newCenter(t)
	for _, key := range []string{"supervisor", "ann"} {
		response := c.send(0, key, http.MethodPost, "/v1/feed", strings.NewReader("{}"))
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		require.NoError(t, response.Body.Close())
	}
	results, _ := c.feed("admin", "", strings.NewReader(`{"interaction":"one","command":"start","channel":"inbound"}
{"interaction":"one","command":"place_in_queue","queue":"sales","by":{"id":"someone","role":"platform"}}
{"interaction":"one","command":"place_in_queue","queue":"sales"}
`))
	require.Equal(t, []string{"accepted", "rejected", "accepted"}, []string{results[0].Status, results[1].Status, results[2].Status})
	require.Equal(t, 403, results[1].Problem.Status)

	c.name = "elsewhere"
	id := fmt.Sprint("s-", time.Now().UnixNano())
	results, _ = c.feed("stranger", "", strings.NewReader(fmt.Sprintf(`{"interaction":%[1]q,"command":"start","channel":"inbound"}
{"interaction":%[1]q,"command":"start","channel":"inbound","contact_center":"acme"}
{"interaction":"one","command":"hold","contact_center":"acme"}
`, id)))
	got := map[int]string{}
	for _, r := range results {
		got[r.Line] = r.Status
	}
	require.Equal(t, map[int]string{1: "accepted", 2: "rejected", 3: "rejected"}, got)
	require.Equal(t, 403, find(results, 2).Problem.Status)
	require.Equal(t, 404, find(results, 3).Problem.Status, "as for an interaction that does not exist")
}

func TestAFeedIsReadToItsEndByAnyClient(t *testing.T) {
	c := newCenter(t)
	var text bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&text, `{"interaction":"none-%d","command":"hold"}`+"\n", i%7)
	}
	// This client reads only after it has sent everything.
	conn, err := net.Dial("tcp", replicas[0].Address)
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/feed HTTP/1.1\r\nHost: %s\r\nX-API-Key: platform\r\nSegue-Contact-Center: %s\r\nContent-Length: %d\r\n\r\n",
		replicas[0].Address, c.name, text.Len())
	_, err = conn.Write(text.Bytes())
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_, last := linesOf(t, response.Body)
	require.Equal(t, 3000, last.Summary.Rejected)

	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	file := filepath.Join(t.TempDir(), "feed.ndjson")
	require.NoError(t, os.WriteFile(file, bytes.Repeat(text.Bytes(), 4), 0o600))
	for _, way := range [][]string{{"--data-binary", "@" + file}, {"-X", "POST", "-T", file}, {"-X", "POST", "-T", file, "-H", "Transfer-Encoding: chunked"}} {
		out, err := exec.CommandContext(t.Context(), curl, append([]string{"-sS", "-H", "X-API-Key: platform", "-H", "Segue-Contact-Center: " + c.name, replicas[0].URL + "/v1/feed"}, way...)...).Output()
		require.NoError(t, err)
		_, last := linesOf(t, bytes.NewReader(out))
		require.Equal(t, 12000, last.Summary.Rejected, way)
	}
}

func TestAClientThatDisconnectsEndsItsFeed(t *testing.T) {
	c := newCenter(t)
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	defer writer.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, replicas[0].URL+"/v1/feed", reader)
	require.NoError(t, err)
	r.Header.Set("X-API-Key", "platform")
	r.Header.Set("Segue-Contact-Center", c.name)
	go func() {
		_, _ = io.WriteString(writer, `{"interaction":"sent","command":"start","channel":"inbound"}`+"\n"+`{"interaction":"never",`)
	}()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	answers := bufio.NewScanner(response.Body)
	require.True(t, answers.Scan())
	cancel()
	for answers.Scan() {
	}
	c.start("other", "")
	response = c.send(0, "admin", http.MethodGet, "/v1/interactions/sent", nil)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, response.Body.Close())
	response = c.send(0, "admin", http.MethodGet, "/v1/interactions/never", nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.NoError(t, response.Body.Close())
}

func TestWhenTemporalGoesTheRestIsUnavailable(t *testing.T) {
	own, err := local.Start(t.Context(), local.Options{
		Settings: connect.Settings{TaskQueue: "gone"}, Server: embedded.Options{UIPort: embedded.NoUI}, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	set, err := config.Parse("gone.yaml", []byte("timeouts: {default: {offer: 0s}}\n"))
	require.NoError(t, err)
	_, err = own.StartWorker(local.WorkerOptions{Config: config.NewStore(set)})
	require.NoError(t, err)
	api := platform.New(platform.Options{Client: own.Client})
	caller := &auth.Caller{Name: "platform", Role: interaction.RolePlatform, ContactCenters: []string{"acme"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(auth.With(r.Context(), caller)))
	}))
	defer server.Close()

	reader, writer := io.Pipe()
	go func() {
		_, _ = io.WriteString(writer, `{"interaction":"one","command":"start","channel":"inbound"}`+"\n")
	}()
	response, err := http.Post(server.URL+"/v1/feed", "application/x-ndjson", reader)
	require.NoError(t, err)
	defer response.Body.Close()
	body := bufio.NewReader(response.Body)
	first, err := body.ReadBytes('\n')
	require.NoError(t, err)
	require.Contains(t, string(first), "accepted")
	require.NoError(t, own.Server.Stop())
	go func() {
		for i := range 100 {
			_, _ = fmt.Fprintf(writer, `{"interaction":"i%d","command":"start","channel":"inbound"}`+"\n"+`{"interaction":"i%[1]d","command":"abandon"}`+"\n", i)
		}
		_ = writer.Close()
	}()
	results, last := linesOf(t, body)
	require.Len(t, results, 200)
	for _, r := range results {
		require.Equal(t, "unknown", r.Status)
		require.Equal(t, "urn:segue:unavailable", r.Problem.Type)
		require.Equal(t, 503, r.Problem.Status)
	}
	require.Equal(t, &summary{Lines: 201, Interactions: 101, Accepted: 1, Unknown: 200}, last.Summary)
	require.Equal(t, "urn:segue:unavailable", last.Problem.Type)
	_ = own.Stop() // its server has stopped
}
