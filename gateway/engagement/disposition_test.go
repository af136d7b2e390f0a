package engagement_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/engagement"
	"segue/gateway/engagement/ticket"
	"segue/interaction"
)

// page is what a page has of an invitation.
type page struct {
	IxnID       string `json:"ixnId"`
	Attempt     int
	ExpiresAt   *time.Time `json:"expires_at"`
	Canceled    bool
	Disposition map[string]string
}

// invited returns what the page of an invited visitor gets.
func (w *world) invited(id string, until time.Duration) page {
	w.t.Helper()
	state := w.stateOf(w.interactions[named(id)])
	if until > 0 {
		state.EngagedUntil = new(w.now.Add(until))
	}
	invitation := engagement.InvitationOf(&state)
	require.NotNil(w.t, invitation)
	message, err := invitation.Message(w.tickets, "https://segue.example")
	require.NoError(w.t, err)
	return lastOf(w.t, message)
}

func lastOf(t testing.TB, message json.RawMessage) page {
	var all []struct {
		Channel string
		Data    page
	}
	require.NoError(t, json.Unmarshal(message, &all))
	last := all[len(all)-1]
	require.Equal(t, "gpe.segue", last.Channel)
	return last.Data
}

// follow opens a link.
func (w *world) follow(method, link, body string) result {
	w.t.Helper()
	caller := w.caller
	w.caller = nil // a page has none
	defer func() { w.caller = caller }()
	return w.serve(w.face.Disposition(), httptest.NewRequestWithContext(w.t.Context(), method, link, strings.NewReader(body)))
}

func TestThePageGetsTheMessagesOfTheProfileAndTheLinks(t *testing.T) {
	w := newWorld(t)
	w.engage(`{"visitID":"v1","a":[1],"notification":[{"page":"p","channel":"gpe.appendContent","data":{"url":"x"}},{"channel":"other"}]}`)
	state := w.stateOf(w.interactions[named("visit-v1")])
	state.EngagedUntil = new(w.now.Add(time.Minute))
	invitation := engagement.InvitationOf(&state)
	require.Equal(t, "v1", invitation.Visit)
	message, err := invitation.Message(w.tickets, "https://segue.example")
	require.NoError(t, err)
	require.Contains(t, string(message), `[{"channel":"gpe.appendContent","data":{"url":"x"},"page":"p"},{"channel":"other"},{"channel":"gpe.segue","data":{`)
	last := lastOf(t, message)
	require.Equal(t, "visit-v1", last.IxnID)
	require.Equal(t, 1, last.Attempt)
	require.True(t, w.now.Add(time.Minute).Equal(*last.ExpiresAt))
	require.Len(t, last.Disposition, 4)
	for result, link := range last.Disposition {
		u, err := url.Parse(link)
		require.NoError(t, err)
		require.Equal(t, "https://segue.example/server/data/gateway/disposition", "https://"+u.Host+u.Path)
		require.Equal(t, result, u.Query().Get("result"))
	}
	canceled, err := engagement.Canceled("visit-v1", 1)
	require.NoError(t, err)
	require.JSONEq(t, `[{"channel":"gpe.segue","data":{"ixnId":"visit-v1","attempt":1,"canceled":true}}]`, string(canceled))

	state.State = interaction.StateQueued
	require.Nil(t, engagement.InvitationOf(&state))
	require.Nil(t, engagement.InvitationOf(&contract.State{}))
	w.play("ix", "web", `engage {"ixnProfile":{"page":"a"}}`)
	state = w.stateOf(w.interactions[named("ix")])
	require.Nil(t, engagement.InvitationOf(&state), "nobody is named")
}

func TestAnAnswerOfAPage(t *testing.T) {
	const engageV1 = `{"visitID":"v1","engagement_type":"chat"}`
	for result, want := range map[string]string{
		"accepted": `200 {"status":"OK","ixnId":"visit-v1","state":"queued","attempt":1}`,
		"rejected": `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged"}`,
		"timeout":  `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged"}`,
		"failed":   `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged"}`,
	} {
		t.Run(result, func(t *testing.T) {
			w := newWorld(t)
			w.settings.Queue = "web"
			w.engage(engageV1)
			links := w.invited("visit-v1", time.Minute).Disposition
			require.Equal(t, want, w.follow(http.MethodGet, links[result], "").String())
			status := w.interactions[named("visit-v1")].inner.Status()
			require.Equal(t, map[string]string{"rejected": "declined"}[result]+strings.TrimPrefix(result, "rejected"), status.Engagement.Result)

			again := w.follow(http.MethodGet, links[result], "")
			require.Equal(t, 200, again.code)
			require.Equal(t, true, again.fields["duplicate"])
			for other, link := range links {
				if other != result {
					require.Equal(t, 400, w.follow(http.MethodGet, link, "").code, other)
				}
			}
		})
	}
}

func TestAcceptedLeadsToTheQueueOfTheProfile(t *testing.T) {
	for _, test := range []struct{ profile, configured, queue, state, channel string }{
		{`{"visitID":"v1","queue":"own"}`, "web", "own", "queued", "chat"},
		{`{"visitID":"v1"}`, "web", "web", "queued", "chat"},
		{`{"visitID":"v1","engagement_type":"webcallback"}`, "web", "web", "queued", "outbound"},
		{`{"visitID":"v1"}`, "", "", "started", "chat"},
	} {
		w := newWorld(t)
		w.settings.Queue = test.configured
		w.engage(test.profile)
		require.Equal(t, 200, w.follow(http.MethodGet, w.invited("visit-v1", 0).Disposition["accepted"], "").code)
		status := w.interactions[named("visit-v1")].inner.Status()
		require.Equal(t, test.queue+test.state+test.channel, fmt.Sprint(status.Queue, status.State, status.Channel))
	}
}

func TestAnAnswerMayComeAsAFormOrAsJSON(t *testing.T) {
	for _, method := range []string{"form", "JSON", "both"} {
		w := newWorld(t)
		w.engage(profile)
		link, err := url.Parse(w.invited("visit-v1", time.Minute).Disposition["accepted"])
		require.NoError(t, err)
		body, query := link.RawQuery, ""
		switch method {
		case "JSON":
			q := link.Query()
			body = fmt.Sprintf(`{"ixnId":%q,"attempt":1,"result":"accepted","token":%q}`, q.Get("ixnId"), q.Get("token"))
		case "both":
			query = "?" + body
		}
		want := 200
		if method == "both" {
			want = 400
		}
		require.Equal(t, want, w.follow(http.MethodPost, engagement.DispositionPath+query, body).code, method)
	}
}

func TestALinkIsOfOneInvitation(t *testing.T) {
	w := newWorld(t)
	w.engage(profile)
	w.engage(`{"visitID":"v2"}`)
	link := w.invited("visit-v1", time.Minute).Disposition["accepted"]
	change := func(key, value string) string {
		u, err := url.Parse(link)
		require.NoError(t, err)
		q := u.Query()
		q.Set(key, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	forged, err := ticket.New(func() [][]byte { return [][]byte{[]byte("guess")} }).Sign(ticket.Claims{
		Kind: ticket.Invitation, ContactCenter: cc, Interaction: "visit-v1", Attempt: 1, Started: w.now.UnixNano(), Expires: w.now.Unix() + 60})
	require.NoError(t, err)
	visit, err := w.tickets.Sign(ticket.Claims{Kind: ticket.Visit, ContactCenter: cc, Visit: "v1", Expires: w.now.Unix() + 60})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		link, code string
		status     int
	}{
		"forged":               {change("token", forged), "unauthenticated", 401},
		"none":                 {change("token", ""), "unauthenticated", 401},
		"a visit's":            {change("token", visit), "unauthenticated", 401},
		"another interaction":  {change("ixnId", "visit-v2"), "not-permitted", 403},
		"another attempt":      {change("attempt", "2"), "not-permitted", 403},
		"another result":       {change("result", "maybe"), "malformed", 400},
		"twice":                {link + "&result=rejected", "malformed", 400},
		"no parameters":        {engagement.DispositionPath, "unauthenticated", 401},
		"a query that is none": {engagement.DispositionPath + "?%zz", "malformed", 400},
	} {
		answer := w.follow(http.MethodGet, test.link, "")
		require.Equal(t, test.status, answer.code, name)
		require.Equal(t, test.code, answer.fields["code"], name)
	}
	require.Equal(t, 405, w.follow(http.MethodPut, link, "").code)
	require.Equal(t, interaction.StateEngaging, w.interactions[named("visit-v1")].inner.Status().State)
	require.Equal(t, interaction.StateEngaging, w.interactions[named("visit-v2")].inner.Status().State)
}

func TestALateAnswerIsRefused(t *testing.T) {
	for name, happens := range map[string]func(w *world){
		"a later attempt": func(w *world) { w.engage(`{"visitID":"v1","page":"b"}`) },
		"withdrawn":       func(w *world) { w.noengage(profile) },
		"started again": func(w *world) {
			w.do("visit-v1", `engagement_result {"result":"timeout"}`)
			w.now = w.now.Add(2 * time.Minute)
			w.engage(profile)
		},
		"expired":  func(w *world) { w.now = w.now.Add(12 * time.Minute) },
		"answered": func(w *world) { w.do("visit-v1", `engagement_result {"result":"timeout"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.engage(profile)
			link := w.invited("visit-v1", time.Minute).Disposition["accepted"]
			happens(w)
			before := w.interactions[named("visit-v1")].revision
			answer := w.follow(http.MethodGet, link, "")
			require.Equal(t, 400, answer.code, answer)
			require.Equal(t, before, w.interactions[named("visit-v1")].revision)
		})
	}
}

func TestAnAnswerIsDecidedAgain(t *testing.T) {
	w := newWorld(t)
	w.engage(profile)
	link := w.invited("visit-v1", time.Minute).Disposition["rejected"]
	w.meanwhile = func() { w.do("visit-v1", `engagement_result {"result":"declined"}`) } // another tab
	answer := w.follow(http.MethodGet, link, "")
	require.Equal(t, 200, answer.code)
	require.Equal(t, true, answer.fields["duplicate"])

	w.fails = fmt.Errorf("gone")
	require.Equal(t, 500, w.follow(http.MethodGet, link, "").code)
}

// What happens between the decision and the command must not let an answer count for another attempt.
func TestAnAnswerThatAnotherAttemptOvertakesIsRefused(t *testing.T) {
	for name, happens := range map[string]func(w *world){
		"a later attempt": func(w *world) { w.do("visit-v1", `engage {"ixnProfile":{"visitID":"v1","page":"b"}}`) },
		"started again": func(w *world) {
			w.do("visit-v1", `engagement_result {"result":"timeout"}`)
			w.now = w.now.Add(2 * time.Minute)
			w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`)
		},
	} {
		for _, result := range []string{"accepted", "rejected"} {
			w := newWorld(t)
			w.engage(profile)
			link := w.invited("visit-v1", time.Minute).Disposition[result]
			w.meanwhile = func() { happens(w) }
			answer := w.follow(http.MethodGet, link, "")
			require.Equal(t, 400, answer.code, "%s: %s", name, answer)
			require.Equal(t, "illegal-command", answer.fields["code"])
			status := w.interactions[named("visit-v1")].inner.Status()
			require.Equal(t, interaction.StateEngaging, status.State, name)
			require.Empty(t, status.Engagement.Result)
		}
	}
}
