package desktop_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop"
	"segue/gateway/desktop/view"
)

func eleven(channel, id, interaction, conversation string) []string {
	on := channel + "." + id
	return []string{"channel.infochanged " + channel, "state ACTIVE " + channel, "interaction.created " + on, "state " + interaction + " " + on,
		"conversation.created " + on + ".p", "state " + conversation + " " + on + ".p", "conversation.member.added " + on + ".p", "conversation.initialized " + on + ".p",
		"interaction.datachanged " + on, "interaction.preview " + on, "interaction.initialized " + on}
}

func (w *world) onlyID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range w.interactions {
		return n.ID
	}
	return ""
}

func TestACallFromDialToDisposition(t *testing.T) {
	for name, group := range map[string]string{"without a group": "", "with a group": "g-1."} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c, replay := w.agent("ann")
			require.Equal(t, []string{"session.initialized"}, replay)
			channel := group + "c-1"
			if group == "" {
				c.succeeds("session.request.addchannel", "", `{"channel":{"endpoint":"x1","type":"Telephony"}}`)
			} else {
				c.succeeds("session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[{"endpoint":"x1","type":"Telephony"}]}`)
				require.Equal(t, []string{"channelgroup.created g-1", "channelgroup.initialized g-1"}, c.events(2))
			}
			require.Equal(t, []string{"channel.initialized " + channel, "state INACTIVE " + channel, "channel.externaldispositions.updated " + channel}, c.events(3))

			answer := c.succeeds("channel.dial", channel, `{"destination":"+4930","extensions":{"order":"7"}}`)
			require.Equal(t, object{"destination": "+4930", "extensions": object{"order": "7"}}, answer["data"])
			require.Empty(t, c.waiting, "the answer goes out before the events")
			id := w.onlyID()
			require.True(t, strings.HasPrefix(id, "his-"))
			require.Equal(t, eleven(channel, id, "DIALING", "DIALING"), c.events(11))
			on := channel + "." + id

			w.do(id, `connect`)
			require.Equal(t, []string{"state ACTIVE " + on + ".p", "state STARTED " + on}, c.events(2))
			answer = c.succeeds("interaction.request.incontact.signal", on, `{"p1":"x"}`)
			require.Equal(t, object{}, answer["data"])
			c.succeeds("interaction.incontact.signal", "c-1."+id, `{"p1":"x"}`)
			c.succeeds("conversation.hold", on+".p", `{}`)
			require.Equal(t, []string{"state HELD " + on + ".p"}, c.events(1))
			c.succeeds("conversation.request.retrieve", on+".p", `{}`)
			require.Equal(t, []string{"state ACTIVE " + on + ".p"}, c.events(1))
			c.succeeds("conversation.hangup", on+".p", `{}`)
			require.Equal(t, []string{"state ENDED " + on + ".p", "conversation.disposed " + on + ".p"}, c.events(2))
			c.succeeds("interaction.setdisposition", on, `{"interactionDispositionId":"d1","notes":"n"}`)
			changed := c.event()
			require.Equal(t, "interaction.datachanged", changed["name"])
			require.Equal(t, object{"interactionDispositionId": "d1", "value": "SOLD", "notes": "n", "agent": "ann"}, at(changed, "data", "disposition"))
			require.Equal(t, object{"order": "7"}, at(changed, "data", "data"))
			c.succeeds("interaction.complete", on, `{}`)
			require.Equal(t, []string{"state ENDED " + on, "interaction.ended " + on, "channel.infochanged " + channel, "state INACTIVE " + channel}, c.events(4))
			require.Equal(t, 2, strings.Count(strings.Join(w.sent, "\n"), "script_signal"), "two signals are two")
		})
	}
}

func TestAConsultAndItsTransfer(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.telephone("ann"), w.telephone("bob")
	w.start("i.1", "inbound", `place_in_queue {"queue":"q"}`, `offer {"agent":"ann"}`)
	on := "c-1.i%2E1"
	require.Equal(t, eleven("c-1", "i%2E1", "ALERTING", "ALERTING"), ann.events(11))
	ann.succeeds("conversation.answer", on+".p", `{}`)
	require.Equal(t, []string{"state ACTIVE " + on + ".p", "state STARTED " + on}, ann.events(2))
	ann.succeeds("interaction.consultdial", on, `{"agent":"bob"}`)
	require.Equal(t, []string{"conversation.created " + on + ".k-1", "state ACTIVE " + on + ".k-1", "conversation.member.added " + on + ".k-1",
		"conversation.initialized " + on + ".k-1", "interaction.focuschanged " + on}, ann.events(5))
	require.Equal(t, eleven("c-1", "i%2E1", "STARTED", "ACTIVE"), bob.events(11))

	ann.fails("ILLEGAL_STATE", "conversation.hold", on+".k-1", `{}`)
	ann.succeeds("conversation.hangup", on+".k-1", `{}`)
	require.Equal(t, []string{"state ENDED " + on + ".k-1", "conversation.disposed " + on + ".k-1", "interaction.focuschanged " + on}, ann.events(3))
	require.Len(t, bob.events(6), 6)
	ann.fails("ILLEGAL_STATE", "interaction.consultconference", on, `{}`)

	ann.succeeds("interaction.consultdial", on, `{"agent":"bob"}`)
	require.Equal(t, "conversation.created "+on+".k-2", ann.events(5)[0])
	bob.events(11)
	ann.succeeds("interaction.request.consulttransfer", on, `{}`)
	require.Equal(t, []string{"state ENDED " + on + ".p", "conversation.disposed " + on + ".p", "interaction.focuschanged " + on, "state ENDED " + on + ".k-2",
		"conversation.disposed " + on + ".k-2", "interaction.ended " + on, "channel.infochanged c-1", "state INACTIVE c-1"}, ann.events(8))
	ann.fails("ILLEGAL_STATE", "interaction.complete", on, `{}`)
	bob.succeeds("interaction.complete", on, `{}`)
	require.Len(t, bob.events(6), 6)
	ann.fails("ILLEGAL_STATE", "interaction.accept", on, `{}`)
}

func TestASessionElsewhereIsConfirmedAndReplaced(t *testing.T) {
	w := newWorld(t)
	first := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `signal_added {"name":"s","tooltip":"t","p2":"v"}`)
	first.events(12)
	second := w.connect()
	answer := second.ask("prepareSession", "", `{"agent":{"id":"berlin/ann","password":"right"},"model":"m"}`)
	require.Equal(t, "confirm", answer["result"])
	require.NotEmpty(t, answer["message"])
	require.Equal(t, "m", at(answer, "original", "data", "model"))

	answer = second.succeeds("prepareSession", "", `{"agent":{"id":"ann","password":"right"},"override":true}`)
	second.session, _ = at(answer, "data", "resourceId").(string)
	require.NotEqual(t, first.session, second.session)
	require.EqualValues(t, 4001, first.closed())
	want := append([]string{"channel.initialized c-1", "state INACTIVE c-1", "channel.externaldispositions.updated c-1"}, eleven("c-1", "i1", "ALERTING", "ALERTING")...)
	want = append(want[:len(want)-1], "interaction.incontact.signaladded c-1.i1", "interaction.initialized c-1.i1", "session.initialized")
	require.Equal(t, want, second.until("session.initialized"))
	second.fails("NOT_FOUND", "interaction.accept", strings.Repeat("x", 3)+".i1", `{}`)
	second.fails("ILLEGAL_STATE", "prepareSession", "", `{"agent":{"id":"ann","password":"right"}}`)
	answer = second.succeeds("session.request.logout", "", `{}`)
	require.NotContains(t, answer, "data")
	second.fails("NOT_AUTHENTICATED", "interaction.accept", "c-1.i1", `{}`)
	require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.streams == 0 }, within, tick)

	third, replay := w.agent("ann")
	require.Equal(t, "channel.initialized c-1", replay[0], "a channel is made for what is open")
	require.Len(t, replay, 16)
	third.succeeds("conversation.answer", "c-1.i1.p", `{}`)
}

func TestScriptsAndDispositions(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	for _, command := range []string{"channel.request.incontact.getscripts", "channel.incontact.getscripts"} {
		answer := c.succeeds(command, "c-1", `{}`)
		require.Equal(t, object{"scripts": []any{object{"scriptId": "s1", "scriptName": "Sales"}}}, answer["data"])
	}
	next := desktop.Settings{Offer: desktop.Offer{Dispositions: []view.Disposition{{Type: view.Telephony, ID: "d2", Value: "LOST", Extensions: []string{}, Labels: []view.Label{}}}}}
	w.server.Configure(next)
	e := c.event()
	require.Equal(t, "channel.externaldispositions.updated", e["name"])
	require.Equal(t, []any{object{"interactionDispositionId": "d2", "value": "LOST", "extensions": []any{}, "labels": []any{}}}, at(e, "data", "dispositions"))
	require.Equal(t, object{"scripts": []any{}}, c.succeeds("channel.incontact.getscripts", "c-1", `{}`)["data"])
	w.server.Configure(next)
	require.Empty(t, c.waiting, "the same dispositions are no news")
}

func TestASupervisorDials(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("sue")
	c.succeeds("channel.dial", "c-1", `{"destination":"+1"}`)
	id := w.onlyID()
	require.Equal(t, eleven("c-1", id, "DIALING", "DIALING"), c.events(11))
	w.do(id, `connect`)
	c.events(2)
	c.succeeds("conversation.hold", "c-1."+id+".p", `{}`)
	require.Equal(t, []string{"state HELD c-1." + id + ".p"}, c.events(1))
	ada := w.connect()
	ada.fails("NOT_PERMITTED", "prepareSession", "", `{"agent":{"id":"ada","password":"right"}}`)
}

func TestANoticeWithoutAStateIsCompleted(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.mu.Lock()
	w.large = true
	w.mu.Unlock()
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	require.Equal(t, eleven("c-1", "i1", "ALERTING", "ALERTING"), c.events(11))
	w.do("i1", `abandon`)
	require.Equal(t, "interaction.ended c-1.i1", c.events(6)[3])
}

func TestARequestSentAgainDoesNothing(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	dial := `{"command":"channel.dial","target":"` + c.session + `.c-1","requestId":"r1","data":{"destination":"+1"}}`
	c.send(dial)
	require.Equal(t, "success", c.read()["result"])
	c.events(11)
	c.send(dial)
	require.Equal(t, "success", c.read()["result"])
	require.Len(t, w.interactions, 1)
	var payload struct {
		EventID string `json:"event_id"`
		By      object
	}
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(w.sent[0], "dial ")), &payload))
	require.Equal(t, "his-"+c.session+"-r1#0", payload.EventID)
	require.Equal(t, object{"id": "ann", "role": "agent"}, payload.By)
}

// TestADesktopThatIsCutOffKnowsWhatAnUndisturbedOneDoes connects again after each step of a call: the replay
// has the objects and the states that the events so far have led to.
func TestADesktopThatIsCutOffKnowsWhatAnUndisturbedOneDoes(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound")
	known := map[string]string{"c-1": "INACTIVE"}
	for _, step := range []struct {
		command string
		events  int
	}{
		{`place_in_queue {"queue":"q"}`, 0}, {`offer {"agent":"ann"}`, 11}, {`accept {"agent":"ann"}`, 2}, {`set_attributes {"native_id":"n1"}`, 1},
		{`hold {"agent":"ann"}`, 1}, {`retrieve {"agent":"ann"}`, 1}, {`consult {"to":{"agent":"bob"}}`, 5}, {`retrieve {"agent":"ann"}`, 3},
		{`consult {"to":{"agent":"bob"}}`, 5}, {`conference`, 4}, {`leave {"agent":"bob"}`, 0}, {`disconnect`, 2}, {`complete`, 4},
	} {
		w.do("i1", step.command)
		follow(known, c.events(step.events))
		require.NoError(t, c.conn.CloseNow())
		require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.streams == 0 }, within, tick)
		var replay []string
		c, replay = w.agent("ann")
		again := map[string]string{}
		follow(again, replay)
		require.Equal(t, known, again, step.command)
	}
	require.Equal(t, map[string]string{"c-1": "INACTIVE"}, known)
}

// follow keeps the state of each object, without those that have ended.
func follow(states map[string]string, events []string) {
	for _, line := range events {
		state, isState := strings.CutPrefix(line, "state ")
		if !isState {
			continue
		}
		value, target, _ := strings.Cut(state, " ")
		if states[target] = value; value == "ENDED" {
			delete(states, target)
		}
	}
}

func TestACallIsShownWhereItWasDialed(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	c.succeeds("session.addchannelgroup", "", `{"channelgroup":{"name":"g"}}`)
	c.events(2)
	c.succeeds("session.addchannel", "g-1", `{"channel":{"endpoint":"x2","type":"Telephony"}}`)
	require.Equal(t, "channel.initialized g-1.c-2", c.events(3)[0])
	c.succeeds("channel.dial", "c-2", `{"destination":"+1"}`)
	require.Equal(t, eleven("g-1.c-2", w.onlyID(), "DIALING", "DIALING"), c.events(11))
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	require.Equal(t, eleven("c-1", "i1", "ALERTING", "ALERTING"), c.events(11), "all else is shown in the first channel")
	w.start("i2", "email", `offer {"agent":"ann"}`)
	require.Equal(t, []string{"channel.initialized c-3", "state INACTIVE c-3", "channel.externaldispositions.updated c-3", "channel.infochanged c-3"}, c.events(4))
}
