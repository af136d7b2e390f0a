package scxml_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// invitation is Segue's message to a page.
type invitation struct {
	IxnID       string
	Attempt     int
	Canceled    bool
	Disposition map[string]string
}

// page follows the stream of a visit, as a browser does: it connects again when the gateway was killed.
func (w *world) page(visit string) <-chan invitation {
	messages, done := make(chan invitation, 100), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			w.read(ctx, visit, messages)
			select {
			case <-ctx.Done():
			case <-time.After(pollEvery):
			}
		}
	}()
	w.Cleanup(func() { cancel(); <-done })
	return messages
}

func (w *world) read(ctx context.Context, visit string, messages chan<- invitation) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/server/data/notification/"+visit, nil)
	if err != nil {
		return
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		var all []struct{ Data invitation }
		if isData && json.Unmarshal([]byte(data), &all) == nil && len(all) > 0 {
			messages <- all[len(all)-1].Data
		}
	}
}

// send sends a request so many times, each until it is answered with 200.
func (w *world) send(times int, method, to, body string) {
	w.Helper()
	for range times {
		w.eventually("answered with 200: "+method, func() bool {
			r, err := http.NewRequestWithContext(w.Context(), method, to, strings.NewReader(body))
			require.NoError(w, err)
			r.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				return false
			}
			defer response.Body.Close()
			require.False(w, response.StatusCode >= 400 && response.StatusCode < 429, "%s %s: %d", method, r.URL.Path, response.StatusCode)
			return response.StatusCode == 200
		})
	}
}

func (w *world) eventually(what string, condition func() bool) {
	w.Helper()
	for begun := time.Now(); !condition(); time.Sleep(pollEvery) {
		require.Less(w, time.Since(begun), patience, what)
	}
}

// play has the strategy engage a visitor, who accepts, and has an agent take the chat. at is called when the strategy enters
// a state.
func (w *world) play(times int, at func(state string)) (states []string) {
	w.Helper()
	invitations := w.page(w.visit)
	profile := map[string]any{
		"visitID": w.visit, "pageID": "p7", "engagement_type": "chat", "languageCode": "en-US", "queue": "web", "timezoneOffset": -60.5,
		"notification": []any{map[string]any{"page": "p7", "channel": "gpe.appendContent", "data": map[string]any{"url": "/invite.html"}}},
	}
	for e := range w.strategy(times, profile, 1) {
		if e.Event != "state" {
			w.sound(e)
			w.heard(e)
			continue
		}
		states = append(states, e.State)
		at(e.State)
		switch e.State {
		case "invited":
			link := ""
			w.eventually("an invitation", func() bool {
				got := <-invitations
				require.Equal(w, 1, got.Attempt)
				link = got.Disposition["accepted"]
				return link != ""
			})
			w.send(times, http.MethodGet, link, "")
		case "offered":
			w.send(times, http.MethodPost, w.url+"/v1/interactions/visit-"+w.visit+"/commands/accept", `{"agent":"ada","event_id":"ada-accepts"}`)
		}
	}
	w.requireCallbacks(profile)
	return states
}

// sound requires that a request is answered as documented: 200, or 503 with a FAULT or a problem, or not at all.
func (w *world) sound(e event) {
	w.Helper()
	for i, status := range e.Statuses {
		require.Contains(w, []int{200, 503, 0}, status, "%s: %v", e.Path, e.Bodies[i])
		if status == 200 && strings.HasSuffix(e.Path, "/engage") {
			require.Equal(w, []any{"OK", "visit-" + w.visit, 1.0}, []any{e.Bodies[i]["status"], e.Bodies[i]["ixnId"], e.Bodies[i]["attempt"]})
		}
	}
}

// requireCallbacks requires one callback of each kind, in the shapes of the documents, each under one id.
func (w *world) requireCallbacks(profile map[string]any) {
	w.Helper()
	want := []callback{{Method: "POST", Path: "/backend/data/gateway/engage", ContentType: "application/json", Body: map[string]any{"ixnProfile": profile}}}
	for _, when := range []string{"engagement_result", "chat.new", "chat.agent_connect", "chat.end", "interaction_ends"} {
		want = append(want, callback{Method: "POST", Path: "/moments", ContentType: "application/json", Body: map[string]any{"id": "visit-" + w.visit, "when": when}})
	}
	w.requireDelivered(want)
	var state struct {
		State, Outcome, Channel string
		Engagement              struct{ Attempts int }
	}
	require.True(w, w.get("/v1/interactions/visit-"+w.visit, &state))
	require.Equal(w, []any{"completed", "handled", "chat", 1}, []any{state.State, state.Outcome, state.Channel, state.Engagement.Attempts})
}

func (w *world) requireDelivered(want []callback) {
	w.Helper()
	w.eventually("all callbacks", func() bool { return len(w.backend.distinct(w.T)) >= len(want) })
	got := w.backend.distinct(w.T)
	for i := range got {
		got[i].ID = ""
	}
	require.ElementsMatch(w, want, got)
}

var whole = []string{"pacing", "engaging", "invited", "offering", "offered", "completing", "completed"}

func TestAStrategyEngagesAVisitor(t *testing.T) {
	require.Equal(t, whole, newWorld(t).play(1, func(string) {}))
}

func TestAStrategyThatSendsEachRequestTwice(t *testing.T) {
	require.Equal(t, whole, newWorld(t).play(2, func(string) {}))
}

func TestAStrategyWithoutCapacityCancels(t *testing.T) {
	w := newWorld(t)
	var states []string
	for e := range w.strategy(2, map[string]any{"visitID": w.visit}, 0) {
		if w.sound(e); e.Event == "state" {
			states = append(states, e.State)
		}
	}
	require.Equal(t, []string{"pacing", "canceling", "canceled"}, states)
	w.requireDelivered([]callback{
		{Method: "POST", Path: "/backend/data/gateway/noengage", ContentType: "application/json", Body: map[string]any{"cancelData": map[string]any{"visitID": w.visit, "reason": "pacing"}}},
		{Method: "POST", Path: "/moments", ContentType: "application/json", Body: map[string]any{"id": "visit-" + w.visit, "when": "interaction_ends"}},
	})
}

// Each process is killed once while the strategy is in the middle of each step, and each request is sent twice. A
// task that a killed worker had takes six seconds, so without SEGUE_WHOLE=1 the worker is killed in every other step.
func TestAStrategyWhileProcessesAreKilled(t *testing.T) {
	for name, process := range map[string]struct {
		kill  func(*world)
		steps int // of which one is for a kill
	}{
		"gateway": {(*world).killGateway, 1},
		"worker":  {(*world).killWorker, 2},
	} {
		if os.Getenv("SEGUE_WHOLE") != "" {
			process.steps = 1
		}
		t.Run(name, func(t *testing.T) {
			w, step := newWorld(t), 0
			require.Equal(t, whole, w.play(2, func(state string) {
				if state == "pacing" || state == "completed" {
					return
				}
				if step++; step%process.steps == 0 {
					process.kill(w)
				}
			}))
		})
	}
}
