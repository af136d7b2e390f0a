package replicas_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/bayeux/clients"
)

// foreignDesktop is a GWS client of others, of an agent at a gateway.
type foreignDesktop struct {
	*world
	agent   string
	at      *gateway
	client  *clients.Process
	shown   map[string]shown
	greeted int
}

// shown is an interaction as the last notification shows it.
type shown struct {
	State    string
	UserData map[string]any
	revision int64
}

// sit opens a desktop, and waits until it is subscribed.
func (w *world) sit(agent string, at *gateway, client, transport string) *foreignDesktop {
	w.Helper()
	d := &foreignDesktop{world: w, agent: agent, at: at, shown: map[string]shown{}}
	d.client = clients.Run(w.T, clients.Options{
		Client: client, Transport: transport, Ack: true, URL: at.URL + "/api/v2/notifications", Topics: []string{"/v2/me/interactions"},
		Headers: map[string]string{
			"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(agent+":any")), "Segue-Contact-Center": w.name,
		},
	})
	d.until("the subscription", startWithin, func() bool { return d.greeted > 0 })
	return d
}

// until takes what the client prints until a condition holds.
func (d *foreignDesktop) until(what string, within time.Duration, holds func() bool) {
	d.Helper()
	patient := time.NewTimer(until(within, time.Now()))
	defer patient.Stop()
	for !holds() {
		select {
		case e, more := <-d.client.Events:
			require.True(d, more, "the client ended")
			d.take(e)
		case <-patient.C:
			require.Fail(d, "not within "+within.String()+": "+what, "%s: %v", d.agent, d.shown)
		}
	}
}

func (d *foreignDesktop) take(e clients.Event) {
	d.Helper()
	switch e.Event {
	case "subscribed":
		require.True(d, e.Successful, e.Error)
		d.greeted++
	case "message":
		var data struct {
			Revision    int64
			Interaction struct {
				ID string
				shown
			}
		}
		require.NoError(d, json.Unmarshal(e.Data, &data), "%s", e.Data)
		now, before := data.Interaction.shown, d.shown[data.Interaction.ID]
		now.revision = data.Revision
		require.GreaterOrEqual(d, now.revision, before.revision, "%s", e.Data)
		d.shown[data.Interaction.ID] = now
	}
}

// sees waits until the desktop shows an interaction in a state.
func (d *foreignDesktop) sees(id, state string, within time.Duration) shown {
	d.Helper()
	d.until(id+" is "+state, within, func() bool { return d.shown[id].State == state })
	return d.shown[id]
}

// does sends an operation, which succeeds.
func (d *foreignDesktop) does(id, operation, fields string) {
	d.Helper()
	body := fmt.Sprintf(`{"operationName":%q%s}`, operation, fields)
	got := d.must(d.at, d.agent, http.MethodPost, "/api/v2/me/interactions/"+id, body)
	require.Contains(d, strings.ReplaceAll(string(got.body), " ", ""), `"statusCode":0`)
}

func (w *world) startEmail(id, agent string) {
	w.Helper()
	w.must(w.replica(0), "", http.MethodPost, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"email","queue":"q"}`, id))
	w.command(w.replica(1), "", id, "offer", fmt.Sprintf(`{"agent":%q}`, agent))
}

// The bus is killed and starts again, with what it had and then empty, while agents at two gateways work. In the end each has
// seen what concerns them.
func TestDesktopsOverABusThatIsAway(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	ann := w.sit("ann", w.replica(0), "cometd", "websocket")
	bob := w.sit("bob", w.replica(1), "faye", "long-polling")
	for round, isEmpty := range []bool{false, true} {
		given, kept := fmt.Sprintf("given-%d", round), fmt.Sprintf("kept-%d", round)
		for _, id := range []string{given, kept} {
			w.startEmail(id, "ann")
			ann.sees(id, "Invited", healedWithin)
			ann.does(id, "Accept", "")
			ann.sees(id, "Processing", healedWithin)
		}
		w.bus.kill()
		ann.does(given, "SingleStepTransfer", `,"userId":"bob"`)
		ann.does(kept, "AttachUserData", `,"userData":{"tier":"gold"}`)
		if isEmpty {
			w.store = t.TempDir()
		}
		w.startBus()
		ann.sees(given, "Completed", 2*healedWithin)
		bob.sees(given, "Processing", 2*healedWithin)
		ann.until("the user data", 2*healedWithin, func() bool { return ann.shown[kept].UserData["tier"] == "gold" })
		bob.does(given, "Complete", "")
		ann.does(kept, "Complete", "")
		bob.sees(given, "Completed", 2*healedWithin)
		ann.sees(kept, "Completed", 2*healedWithin)
		require.Equal(t, 2, ann.greeted+bob.greeted, "the sessions go on")
	}
}

// A worker is killed when Temporal has an accept and the bus does not. Another one runs: the agents see within 10 s that one
// has the interaction, and the other has lost the offer.
func TestDesktopsOverAWorkerThatIsKilled(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startGateway()
	w.startGateway()
	ann := w.sit("ann", w.replica(0), "faye", "websocket")
	bob := w.sit("bob", w.replica(1), "cometd", "long-polling")
	dying := w.startWorker(func(o *workerOptions) { o.DieAt = 3 })
	w.must(w.replica(0), "", http.MethodPost, "/v1/interactions", `{"id":"mail","channel":"email","queue":"q"}`)
	w.command(w.replica(0), "", "mail", "offer", `{"agents":["ann","bob"]}`)
	ann.sees("mail", "Invited", healedWithin)
	bob.sees("mail", "Invited", healedWithin)
	w.startWorker() // the other one has the interaction in its cache, and gets the accept
	answered := make(chan error, 1)
	go func() {
		_, err := w.request(t.Context(), w.replica(0), "ann", http.MethodPost, "/api/v2/me/interactions/mail", "", `{"operationName":"Accept"}`)
		answered <- err
	}()
	<-dying.ended
	died := time.Now()
	ann.sees("mail", "Processing", healedWithin-time.Since(died))
	bob.sees("mail", "Revoked", healedWithin-time.Since(died))
	require.NoError(t, <-answered)
	ann.does("mail", "Complete", "")
	ann.sees("mail", "Completed", healedWithin)
}
