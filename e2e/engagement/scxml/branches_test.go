package scxml_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
)

// run plays a strategy that engages a visitor, and returns the states that it enters and the answers that it gets. at is
// called for each state.
func (w *world) run(times int, profile map[string]any, capacity int, at func(state string)) (states []string, answers []event) {
	w.Helper()
	for e := range w.strategy(times, profile, capacity) {
		switch e.Event {
		case "state":
			states = append(states, e.State)
			at(e.State)
		case "answer":
			answers = append(answers, e)
		}
	}
	return states, answers
}

func nothing(string) {}

// link waits for an invitation, and returns one of its links.
func (w *world) link(invitations <-chan invitation, result string) (link string) {
	w.Helper()
	w.eventually("an invitation", func() bool {
		link = (<-invitations).Disposition[result]
		return link != ""
	})
	return link
}

// isRefused requires that a strategy got 400 and FAULT, as often as it sent the request, and that this was its end.
func (w *world) isRefused(times int, profile map[string]any, capacity int, path, code string) {
	w.Helper()
	states, answers := w.run(times, profile, capacity, nothing)
	require.Equal(w, "refused", states[len(states)-1])
	require.Len(w, answers, 1, "a FAULT is final")
	require.Equal(w, path, answers[0].Path)
	require.Len(w, answers[0].Statuses, times)
	for i, status := range answers[0].Statuses {
		body := answers[0].Bodies[i]
		require.Equal(w, []any{400, "FAULT", code}, []any{status, body["status"], body["code"]}, "%v", body)
		require.NotEmpty(w, body["message"])
	}
}

// state returns the state, the outcome and the result of the invitation of an interaction.
func (w *world) state(id string) []any {
	w.Helper()
	var got struct {
		State, Outcome string
		Engagement     struct {
			Result   string
			Attempts int
		}
	}
	require.True(w, w.get("/v1/interactions/"+id, &got))
	return []any{got.State, got.Outcome, got.Engagement.Result, got.Engagement.Attempts}
}

// moments are the callbacks of an interaction at moments.
func (w *world) moments(id string, names ...string) (all []callback) {
	for _, when := range names {
		all = append(all, callback{Method: "POST", Path: "/moments", ContentType: "application/json", Body: map[string]any{"id": id, "when": when}})
	}
	return all
}

// TestAStrategyTakesItsOtherBranches has a visitor who declines, one who does not answer, and a strategy that is too
// late: it engages a visitor who chats already, and cancels the invitation. Each request is sent twice.
func TestAStrategyTakesItsOtherBranches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const engage, noengage = "/backend/data/gateway/engage", "/backend/data/gateway/noengage"
	engaged := func(profile map[string]any) callback {
		return callback{Method: "POST", Path: engage, ContentType: "application/json", Body: map[string]any{"ixnProfile": profile}}
	}

	declining := w.visit + "-declines"
	invitations, profile := w.page(declining), map[string]any{"visitID": declining}
	want := append(w.moments("visit-"+declining, "engagement_result", "interaction_ends"), engaged(profile))
	states, _ := w.run(2, profile, 1, func(state string) {
		if state == "invited" {
			w.send(2, http.MethodGet, w.link(invitations, "rejected"), "")
		}
	})
	require.Equal(t, []string{"pacing", "engaging", "invited", "closed"}, states)
	require.Equal(t, []any{"completed", "not_engaged", "declined", 1}, w.state("visit-"+declining))

	silent := w.visit + "-silent"
	w.send(1, http.MethodPost, w.url+"/v1/interactions", `{"id":"`+silent+`","channel":"sms","event_id":"start"}`) // whose timer is short
	invitations, profile = w.page(silent), map[string]any{"visitID": silent, "ixnId": silent}
	want = append(append(want, w.moments(silent, "engagement_result", "interaction_ends")...), engaged(profile))
	states, _ = w.run(2, profile, 1, nothing)
	require.Equal(t, []string{"pacing", "engaging", "invited", "closed"}, states)
	require.Equal(t, []any{"completed", "not_engaged", "timeout", 1}, w.state(silent))
	w.link(invitations, "accepted") // it was shown

	chatting := w.visit + "-chats"
	invitations, profile = w.page(chatting), map[string]any{"visitID": chatting, "engagement_type": "chat"}
	want = append(append(want, w.moments("visit-"+chatting, "engagement_result", "chat.new")...), engaged(profile))
	w.send(1, http.MethodPost, w.url+engage, `{"visitID":"`+chatting+`","engagement_type":"chat"}`)
	w.send(1, http.MethodGet, w.link(invitations, "accepted"), "")
	w.isRefused(2, map[string]any{"visitID": chatting, "pageID": "p8"}, 1, engage, "illegal-command")
	w.isRefused(2, map[string]any{"visitID": chatting}, 0, noengage, "illegal-command")
	require.Equal(t, []any{"queued", "", "accepted", 1}, w.state("visit-"+chatting))

	w.isRefused(1, map[string]any{"pageID": "p9"}, 1, engage, "malformed") // of nobody
	w.requireDelivered(want)
}

// TestAStrategyWhileTemporalIsAway has a strategy engage while nothing can be stored: it is answered 503 and tries again
// until it is engaged, and the visitor is invited once.
func TestAStrategyWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	between := cut.Before(t, temporal.Address)
	w := newWorldAt(t, between.Address())
	refused := 0
	w.heard = func(e event) {
		for i, status := range e.Statuses {
			if status != http.StatusServiceUnavailable {
				continue
			}
			require.Equal(t, []any{"FAULT", "unavailable"}, []any{e.Bodies[i]["status"], e.Bodies[i]["code"]})
			if refused++; refused == 2 {
				between.Back()
			}
		}
	}
	require.Equal(t, whole, w.play(2, func(state string) {
		if state == "pacing" {
			between.Away()
		}
	}))
	require.GreaterOrEqual(t, refused, 2)
}
