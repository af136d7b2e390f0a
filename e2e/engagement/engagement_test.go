package engagement_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// own is Segue's message to a page.
type own struct {
	IxnID       string
	Attempt     int
	Canceled    bool
	ExpiresAt   *time.Time `json:"expires_at"`
	Disposition map[string]string
}

// watch opens the stream of a visit. Its messages come on the channel.
func watch(t *testing.T, visit, query string) <-chan own { return watchAt(t, url, visit, query) }

func watchAt(t *testing.T, url, visit, query string) <-chan own {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/server/data/notification/"+visit+query, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, 200, response.StatusCode)
	messages, done := make(chan own, 16), make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			var all []struct{ Data own }
			if isData && json.Unmarshal([]byte(data), &all) == nil {
				messages <- all[len(all)-1].Data
			}
		}
	}()
	t.Cleanup(func() { cancel(); _ = response.Body.Close(); <-done })
	return messages
}

func next(t *testing.T, from <-chan own) own {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return own{}
}

func TestFromEngageToAQueue(t *testing.T) {
	visit := unique("e1")
	page := watch(t, visit, "")
	profile := `{"ixnProfile":{"visitID":"` + visit + `","engagement_type":"chat","notification":[{"channel":"gpe.appendContent","data":{"url":"x"}}]}}`
	status, answer := post(t, "/backend/data/gateway/engage", profile)
	require.Equal(t, 200, status, answer)
	require.Equal(t, "engaging", answer["state"])
	for range 3 { // sent again
		status, answer = post(t, "/server/data/gateway/engage", profile)
		require.Equal(t, 200, status)
		require.Equal(t, true, answer["duplicate"])
	}
	invitation := next(t, page)
	require.Equal(t, 1, invitation.Attempt)
	require.NotNil(t, invitation.ExpiresAt)
	require.Equal(t, invitation, next(t, watch(t, visit, "?contact_center=default")), "a page that comes late")

	status, text := send(t.Context(), http.MethodGet, invitation.Disposition["accepted"], "")
	require.Equal(t, 200, status, "%s", text)
	require.True(t, next(t, page).Canceled)
	now := state(t, "visit-"+visit)
	require.Equal(t, []any{"queued", "web", "chat"}, []any{now["state"], now["queue"], now["channel"]})
	require.Equal(t, visit, now["user_data"].(map[string]any)["visitID"])
	status, _ = send(t.Context(), http.MethodGet, invitation.Disposition["rejected"], "")
	require.Equal(t, 400, status)
	status, _ = send(t.Context(), http.MethodGet, invitation.Disposition["accepted"], "")
	require.Equal(t, 200, status)

	// The backend is the gateway itself: the callback comes back, and causes nothing.
	require.Eventually(t, func() bool { return len(received.of(`"`+visit+`"`)) > 0 }, patience, pollEvery)
	calls := received.of(`"` + visit + `"`)
	require.Contains(t, calls[len(calls)-1], "/backend/data/gateway/engage 200")
	require.EqualValues(t, 1, state(t, "visit-"+visit)["engagement"].(map[string]any)["attempts"])
}

func TestNoengageWithdrawsAndTheTimerEnds(t *testing.T) {
	visit2, visit3, timed := unique("e2"), unique("e3"), unique("timed")
	page := watch(t, visit2, "")
	_, _ = post(t, "/server/data/gateway/engage", `{"visitID":"`+visit2+`"}`)
	require.Equal(t, 1, next(t, page).Attempt)
	status, answer := post(t, "/server/data/gateway/noengage", `{"cancelData":{"visitID":"`+visit2+`","reason":"busy"}}`)
	require.Equal(t, 200, status, answer)
	require.Equal(t, "not_engaged", answer["outcome"])
	require.True(t, next(t, page).Canceled)

	// A channel whose timer is short: the interaction was there before, and its id is not that of the visit.
	page = watch(t, visit3, "")
	status, answer = post(t, "/v1/interactions", `{"id":"`+timed+`","channel":"sms"}`)
	require.Equal(t, 201, status, answer)
	_, _ = post(t, "/server/data/gateway/engage", `{"ixnId":"`+timed+`","visitID":"`+visit3+`"}`)
	invitation := next(t, page)
	require.True(t, next(t, page).Canceled, "nobody answers")
	require.Equal(t, "not_engaged", state(t, timed)["outcome"])
	status, _ = send(t.Context(), http.MethodGet, invitation.Disposition["accepted"], "")
	require.Equal(t, 400, status, "late")

	// The backend is notified, and the gateway that it is has nothing left to do.
	callback := `/backend/data/gateway/noengage 200 {"cancelData":{"reason":"busy","visitID":"` + visit2 + `"}}`
	require.Eventually(t, func() bool { return len(received.of(callback)) == 1 }, patience, pollEvery)
}

// TestWithoutAWorkerNobodyIsLostOrInvitedTwice sends a request while no worker runs, as often as a strategy likes.
func TestWithoutAWorkerNobodyIsLostOrInvitedTwice(t *testing.T) {
	visit := unique("e4")
	page := watch(t, visit, "")
	require.NoError(t, worker.Stop())
	profile := `{"visitID":"` + visit + `"}`
	status, answer := post(t, "/server/data/gateway/engage", profile)
	require.Equal(t, 503, status, answer)
	require.Equal(t, []any{"FAULT", "unavailable"}, []any{answer["status"], answer["code"]})
	var err error
	worker, err = startWorker()
	require.NoError(t, err)
	for begun := time.Now(); ; time.Sleep(pollEvery) {
		if status, answer = post(t, "/server/data/gateway/engage", profile); status == 200 {
			break
		}
		require.Equal(t, 503, status, answer)
		require.Less(t, time.Since(begun), patience)
	}
	require.EqualValues(t, 1, answer["attempt"])
	require.Equal(t, 1, next(t, page).Attempt)
	status, answer = post(t, "/server/data/gateway/noengage", profile)
	require.Equal(t, 200, status, answer)
	require.True(t, next(t, page).Canceled, "the next message is the end: there was one invitation")
	require.EqualValues(t, 1, state(t, "visit-"+visit)["engagement"].(map[string]any)["attempts"])
}

// TestTwoReplicasInviteOnce sends the same request to two gateways at once, and has the answer taken by the one that
// is left.
func TestTwoReplicasInviteOnce(t *testing.T) {
	visit := unique("e5")
	other, stop, err := startGateway()
	require.NoError(t, err)
	pages := []<-chan own{watch(t, visit, ""), watchAt(t, other, visit, "")}
	var sending sync.WaitGroup
	statuses := make(chan int, 20)
	for i := range cap(statuses) {
		sending.Go(func() {
			status, text := send(t.Context(), http.MethodPost, []string{url, other}[i%2]+"/server/data/gateway/engage", `{"visitID":"`+visit+`"}`)
			if status != http.StatusOK {
				t.Errorf("%d %s", status, text)
			}
			statuses <- status
		})
	}
	sending.Wait()
	close(statuses)
	for status := range statuses {
		require.Equal(t, 200, status)
	}
	require.EqualValues(t, 1, state(t, "visit-"+visit)["engagement"].(map[string]any)["attempts"])
	require.Equal(t, 1, next(t, pages[0]).Attempt)
	invitation := next(t, pages[1])
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, stop())
	link := strings.Replace(invitation.Disposition["accepted"], other, url, 1)
	status, text := send(t.Context(), http.MethodGet, link, "")
	require.Equal(t, 200, status, "%s", text)
	require.True(t, next(t, pages[0]).Canceled)
	require.Equal(t, "queued", state(t, "visit-"+visit)["state"])
}

// TestARefusalOfTheBackendEndsTheInvitation has a backend that answers engage with 400 and FAULT, which is final.
func TestARefusalOfTheBackendEndsTheInvitation(t *testing.T) {
	visit := unique("e6")
	page := watch(t, visit, "")
	status, answer := post(t, "/server/data/gateway/engage", `{"visitID":"`+visit+`",`+refusal+`}`)
	require.Equal(t, 200, status, answer)
	invitation := next(t, page)
	require.Equal(t, 1, invitation.Attempt)
	close(refuse)
	t.Cleanup(func() { refuse = make(chan struct{}) })
	require.True(t, next(t, page).Canceled)
	ended := state(t, "visit-"+visit)
	require.Equal(t, []any{"completed", "not_engaged"}, []any{ended["state"], ended["outcome"]})
	require.Equal(t, "failed", ended["engagement"].(map[string]any)["result"])
	status, text := send(t.Context(), http.MethodGet, invitation.Disposition["accepted"], "")
	require.Equal(t, 400, status, "%s", text)
	require.NotEmpty(t, received.of(`"visitID":"`+visit+`"`))

	// Another attempt is not held back by the refused callback.
	status, answer = post(t, "/server/data/gateway/engage", `{"visitID":"`+visit+`","page":"b"}`)
	require.Equal(t, 200, status, answer)
	require.Equal(t, 1, next(t, page).Attempt)
	require.Eventually(t, func() bool { return len(received.of(`"page":"b","visitID":"`+visit+`"`)) == 1 }, patience, pollEvery)
	require.Equal(t, "engaging", state(t, "visit-"+visit)["state"])
	status, _ = post(t, "/server/data/gateway/noengage", `{"visitID":"`+visit+`"}`)
	require.Equal(t, 200, status)
	require.True(t, next(t, page).Canceled)
}

// gws sends a request of an agent to GWS, which has to succeed.
func gws(t *testing.T, method, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v2"+path, strings.NewReader(body))
	require.NoError(t, err)
	r.SetBasicAuth("ann", "any")
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	var fields map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&fields))
	require.EqualValues(t, 0, fields["statusCode"], fields)
	return fields
}

// TestFromEngageToACompletedChat has the platform offer the chat of an accepted invitation to an agent, whose
// desktop accepts and completes it.
func TestFromEngageToACompletedChat(t *testing.T) {
	visit := unique("e7")
	id := "visit-" + visit
	page := watch(t, visit, "")
	status, answer := post(t, "/server/data/gateway/engage", `{"ixnProfile":{"visitID":"`+visit+`","pageID":"p1","languageCode":"en","timezoneOffset":-60,`+
		`"engagement_type":"chat","queue":"sales","jsonEvent":{"cart":120}}}`)
	require.Equal(t, 200, status, answer)
	status, text := send(t.Context(), http.MethodGet, next(t, page).Disposition["accepted"], "")
	require.Equal(t, 200, status, "%s", text)
	require.True(t, next(t, page).Canceled)
	require.Equal(t, []any{"queued", "sales", "chat"}, []any{state(t, id)["state"], state(t, id)["queue"], state(t, id)["channel"]})

	// The accepted invitation is a chat like any other: engage and noengage are clear noes.
	for path, body := range map[string]string{"engage": `{"visitID":"` + visit + `","page":"b"}`, "noengage": `{"visitID":"` + visit + `"}`} {
		status, answer = post(t, "/server/data/gateway/"+path, body)
		require.Equal(t, []any{400, "FAULT", "illegal-command"}, []any{status, answer["status"], answer["code"]})
	}

	status, answer = post(t, "/v1/interactions/"+id+"/commands/offer", `{"agent":{"id":"ann","name":"Ann"}}`)
	require.Equal(t, 200, status, answer)
	var chats []any
	require.Eventually(t, func() bool { // the list learns soon what another did
		chats, _ = gws(t, http.MethodGet, "/me/chats?fields=*", "")["chats"].([]any)
		return len(chats) == 1
	}, patience, pollEvery)
	chat, _ := chats[0].(map[string]any)
	require.Equal(t, []any{id, "Invited"}, []any{chat["id"], chat["state"]})
	require.Equal(t, map[string]any{"visitID": visit, "pageID": "p1", "languageCode": "en", "timezoneOffset": -60.0,
		"engagement_type": "chat", "jsonEvent": map[string]any{"cart": 120.0}}, chat["userData"])
	gws(t, http.MethodPost, "/me/chats/"+id, `{"operationName":"Accept","nickname":"Ann"}`)
	chat, _ = gws(t, http.MethodGet, "/me/chats/"+id, "")["chat"].(map[string]any)
	require.Equal(t, "Chatting", chat["state"])
	gws(t, http.MethodPost, "/me/chats/"+id, `{"operationName":"UpdateUserData","userData":{"order":"4711"}}`)
	gws(t, http.MethodPost, "/me/chats/"+id, `{"operationName":"Complete","disposition":"SOLD"}`)

	over := state(t, id)
	require.Equal(t, []any{"completed", "handled"}, []any{over["state"], over["outcome"]})
	require.Equal(t, "SOLD", over["disposition"].(map[string]any)["code"])
	require.Equal(t, "4711", over["user_data"].(map[string]any)["order"])
	status, answer = post(t, "/server/data/gateway/noengage", `{"visitID":"`+visit+`"}`)
	require.Equal(t, 400, status, answer)

	// The visitor comes back: the same id, another chat.
	status, answer = post(t, "/server/data/gateway/engage", `{"visitID":"`+visit+`","page":"c"}`)
	require.Equal(t, 200, status, answer)
	require.Equal(t, []any{"engaging", 1.0}, []any{answer["state"], answer["attempt"]})
	require.Equal(t, 1, next(t, page).Attempt)
	status, answer = post(t, "/server/data/gateway/noengage", `{"visitID":"`+visit+`"}`)
	require.Equal(t, 200, status, answer)
}
