package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStateHasTheCapabilitiesOfWhoAsks(t *testing.T) {
	started(t, "read")
	post(t, 200, thePlatform, "/v1/interactions/read/commands/offer", `{"agent":{"id":"ann","name":"Ann"}}`)
	ours := get(t, thePlatform, "/v1/interactions/read")
	require.Equal(t, http.StatusOK, ours.Status, "%s", ours.Raw)
	require.Equal(t, "offered", ours.Body["state"])
	require.Contains(t, ours.Body["capabilities"], "abandon")
	anns := get(t, ann, "/v1/interactions/read")
	require.Contains(t, anns.Body["capabilities"], "accept")
	require.NotContains(t, anns.Body["capabilities"], "abandon")
	require.NotContains(t, get(t, bob, "/v1/interactions/read").Body["capabilities"], "accept")
}

func TestAnUnchangedStateIsNotSentAgain(t *testing.T) {
	started(t, "etag")
	first := get(t, thePlatform, "/v1/interactions/etag")
	etag := first.Header.Get("ETag")
	require.NotEmpty(t, etag)
	same := send(t, thePlatform, http.MethodGet, "/v1/interactions/etag", "", "If-None-Match", `"other", W/`+etag)
	require.Equal(t, http.StatusNotModified, same.Status)
	require.Empty(t, same.Raw)
	require.Equal(t, etag, same.Header.Get("ETag"))
	head := send(t, thePlatform, http.MethodHead, "/v1/interactions/etag", "")
	require.Equal(t, http.StatusOK, head.Status)
	require.Equal(t, etag, head.Header.Get("ETag"))
	post(t, 200, thePlatform, "/v1/interactions/etag/commands/place_in_queue", `{"queue":"sales"}`)
	changed := send(t, thePlatform, http.MethodGet, "/v1/interactions/etag", "", "If-None-Match", etag)
	require.Equal(t, http.StatusOK, changed.Status)
}

func TestAgentsReadOpenInteractionsAndThoseTheyHad(t *testing.T) {
	started(t, "had")
	post(t, 200, thePlatform, "/v1/interactions/had/commands/offer", `{"agent":"ann"}`)
	post(t, 200, ann, "/v1/interactions/had/commands/accept", ``)
	require.Equal(t, http.StatusOK, get(t, bob, "/v1/interactions/had").Status, "it is open")
	require.Equal(t, http.StatusOK, get(t, bob, "/v1/interactions/had/timeline").Status)
	for _, path := range []string{"/deliveries", "/rejected"} {
		require.Equal(t, "not-permitted", get(t, ann, "/v1/interactions/had"+path).Problem())
	}
	post(t, 200, ann, "/v1/interactions/had/commands/disconnect", ``)
	post(t, 200, ann, "/v1/interactions/had/commands/complete", ``)
	require.Equal(t, http.StatusOK, get(t, ann, "/v1/interactions/had").Status)
	require.Equal(t, "not-permitted", get(t, bob, "/v1/interactions/had").Problem())
	require.Equal(t, "not-permitted", get(t, bob, "/v1/interactions/had/timeline").Problem())
	require.Equal(t, http.StatusOK, get(t, theSupervisor, "/v1/interactions/had").Status)
}

func TestTimelineAndRefusals(t *testing.T) {
	n := started(t, "lines")
	require.NoError(t, segue.Client.Signal(t.Context(), n, "hold", json.RawMessage(`{"event_id":"refused-1"}`)))
	var refused []map[string]any
	require.Eventually(t, func() bool {
		a := get(t, thePlatform, "/v1/interactions/lines/rejected")
		return a.Status == http.StatusOK && json.Unmarshal(a.Raw, &refused) == nil && len(refused) == 1
	}, patience, pollEvery)
	require.Equal(t, "refused-1", refused[0]["event_id"])
	var spans []map[string]any
	require.NoError(t, json.Unmarshal(get(t, thePlatform, "/v1/interactions/lines/timeline").Raw, &spans))
	require.Equal(t, "interaction_starts", spans[0]["segment"])
	require.JSONEq(t, `[]`, string(get(t, thePlatform, "/v1/interactions/lines/deliveries").Raw))
	require.Equal(t, "not-found", get(t, thePlatform, "/v1/interactions/none/timeline").Problem())
}

// listed returns the ids of a list, over all of its pages.
func listed(t *testing.T, caller, filters string) []string {
	t.Helper()
	ids := []string{}
	for cursor := ""; ; {
		a := get(t, caller, "/v1/interactions?"+filters+"&cursor="+url.QueryEscape(cursor))
		require.Equal(t, http.StatusOK, a.Status, "%s: %s", filters, a.Raw)
		for _, item := range a.Body["interactions"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		next, more := a.Body["next"].(string)
		if !more {
			return ids
		}
		cursor = next
	}
}

func TestAnAgentListsWhatTheyJustDid(t *testing.T) {
	caller := "agent:lea acme"
	for i := range 5 {
		id := fmt.Sprintf("own-%d", i)
		started(t, id)
		post(t, 200, thePlatform, "/v1/interactions/"+id+"/commands/offer", `{"agent":"lea"}`)
		post(t, 200, caller, "/v1/interactions/"+id+"/commands/accept", ``)
		require.Equal(t, id, listed(t, caller, "limit=1000")[0], "the newest first, at once")
	}
	all := []string{"own-4", "own-3", "own-2", "own-1", "own-0"}
	require.Equal(t, all, listed(t, caller, "limit=2"), "in pages")
	require.Equal(t, all, listed(t, thePlatform, "agent=lea&limit=3"))
	require.Equal(t, all, listed(t, caller, "state=handling&fields=*&limit=3"))
	require.Empty(t, listed(t, caller, "state=queued"))
	require.Equal(t, "not-permitted", get(t, caller, "/v1/interactions?agent=ann").Problem())
	page := get(t, caller, "/v1/interactions?limit=2")
	cursor := url.QueryEscape(page.Body["next"].(string))
	for _, other := range []string{"state=handling&cursor=" + cursor, "cursor=" + cursor + "x", "cursor=%21"} {
		require.Equal(t, "malformed", get(t, caller, "/v1/interactions?"+other).Problem(), other)
	}
	require.Equal(t, "malformed", get(t, "agent:max acme", "/v1/interactions?limit=2&cursor="+cursor).Problem(), "of another caller")
	whole := get(t, caller, "/v1/interactions?fields=*").Body["interactions"].([]any)[0].(map[string]any)
	require.Contains(t, whole["capabilities"], "hold")
	require.NotContains(t, whole["capabilities"], "abandon")
	post(t, 200, caller, "/v1/interactions/own-0/commands/complete", ``)
	require.NotContains(t, listed(t, caller, ""), "own-0")
	require.Eventually(t, func() bool {
		ended := listed(t, caller, "open=false")
		return len(ended) == 1 && ended[0] == "own-0"
	}, patience, pollEvery)
}

// A queue's list is what the states say, handled interactions too.
func TestAQueueListsAllOpenInteractionsOfIt(t *testing.T) {
	caller := "platform queued"
	for id, commands := range map[string]string{
		"q-queued":  `{"command":"place_in_queue","queue":"sales"}`,
		"q-offered": `{"command":"place_in_queue","queue":"sales"},{"command":"offer","agent":"zoe"}`,
		"q-handled": `{"command":"place_in_queue","queue":"sales"},{"command":"offer","agent":"zoe"},{"command":"accept","agent":"zoe"}`,
		"q-other":   `{"command":"place_in_queue","queue":"other"}`,
		"q-none":    `{"command":"dtmf","digits":"1"}`,
		"q-ended":   `{"command":"place_in_queue","queue":"sales"},{"command":"abandon"}`,
	} {
		post(t, 201, caller, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"inbound","commands":[%s]}`, id, commands))
	}
	require.Eventually(t, func() bool { return len(listed(t, caller, "open=true")) == 5 }, patience, pollEvery)
	var want []string
	for _, id := range listed(t, caller, "open=true") {
		if get(t, caller, "/v1/interactions/"+id).Body["queue"] == "sales" {
			want = append(want, id)
		}
	}
	require.ElementsMatch(t, []string{"q-queued", "q-offered", "q-handled"}, want)
	require.Equal(t, want, listed(t, caller, "queue=sales"))
	require.Equal(t, want, listed(t, caller, "queue=sales&limit=1"))
	require.ElementsMatch(t, []string{"q-queued", "q-offered"}, listed(t, caller, "queue=sales&state=queued&state=offered"))
	require.ElementsMatch(t, []string{"q-queued", "q-other", "q-handled"}, listed(t, caller, "state=queued&state=handling"))
	require.Empty(t, listed(t, caller, "queue=sales&channel=chat&channel=email"))
	require.Equal(t, []string{"q-handled"}, listed(t, caller, "queue=sales&state=handling&state=consulting&channel=chat&channel=inbound"))
	require.Eventually(t, func() bool {
		return len(listed(t, caller, "state=queued&state=completed")) == 3 && len(listed(t, caller, "outcome=abandoned&outcome=handled")) == 1
	}, patience, pollEvery, "ended ones from Temporal, with the same filters")
}

func TestEndedInteractionsAreListedInPages(t *testing.T) {
	caller := "platform pages"
	for i := range 5 {
		id := fmt.Sprintf("ended-%d", i)
		post(t, 201, caller, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"chat"}`, id))
		post(t, 200, caller, "/v1/interactions/"+id+"/commands/abandon", ``)
	}
	post(t, 201, caller, "/v1/interactions", `{"id":"open","channel":"chat"}`)
	require.Eventually(t, func() bool {
		return len(listed(t, caller, "")) == 6 && len(listed(t, caller, "outcome=abandoned")) == 5
	}, patience, pollEvery)
	require.Equal(t, []string{"open", "ended-4", "ended-3", "ended-2", "ended-1", "ended-0"}, listed(t, caller, "limit=2&channel=chat"))
	require.Equal(t, []string{"ended-4", "ended-3", "ended-2", "ended-1", "ended-0"}, listed(t, caller, "state=completed&limit=2&fields=*"))
	require.Empty(t, listed(t, caller, "outcome=abandoned&started_before=2020-01-01T00:00:00Z"))
	require.Len(t, listed(t, caller, "outcome=abandoned&started_after=2020-01-01T00:00:00Z"), 5)
	require.NotContains(t, listed(t, thePlatform, "limit=1000"), "ended-0")
	for _, wrong := range []string{"state=nope", "channel=nope", "outcome=nope", "open=maybe", "limit=0", "limit=1001", "limit=x", "fields=id", "limit=101&fields=*", "nope=1", "started_after=x", "queue=%22&open=false"} {
		a := get(t, caller, "/v1/interactions?"+wrong)
		require.Equal(t, http.StatusUnprocessableEntity, a.Status, "%s: %s", wrong, a.Raw)
		require.NotEmpty(t, a.Body["errors"], wrong)
	}
}

func TestADraftIsInTheListOfItsAgentAtOnce(t *testing.T) {
	caller := "agent:eve acme"
	post(t, 201, thePlatform, "/v1/interactions",
		`{"id":"mail","channel":"email","commands":[{"command":"offer","agent":"eve"},{"command":"accept","agent":"eve"}]}`)
	reply := post(t, 200, caller, "/v1/interactions/mail/commands/reply", ``)
	child := reply.Body["child"].(string)
	require.Contains(t, listed(t, caller, "state=composing"), child)
	a := post(t, 200, caller, "/v1/interactions/mail/commands", `[{"command":"reply"},{"command":"hold"},{"command":"reply"}]`)
	var results []map[string]any
	require.NoError(t, json.Unmarshal(a.Raw, &results))
	drafts := listed(t, caller, "state=composing")
	require.Contains(t, drafts, results[0]["child"])
	require.Contains(t, drafts, results[2]["child"])
}

func TestAStartThatWasRefusedDoesNotExist(t *testing.T) {
	n := nameOf("refused-start")
	_, err := segue.Client.Start(t.Context(), n, json.RawMessage(`{"id":"refused-start","contact_center":"acme","channel":"nope"}`), false)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		a := get(t, thePlatform, "/v1/interactions/refused-start")
		return a.Problem() == "not-found" && strings.Contains(a.Body["detail"].(string), "its start was refused")
	}, patience, pollEvery)
	for _, path := range []string{"/timeline", "/deliveries", "/rejected"} {
		require.Equal(t, "not-found", get(t, thePlatform, "/v1/interactions/refused-start"+path).Problem(), path)
	}
}
