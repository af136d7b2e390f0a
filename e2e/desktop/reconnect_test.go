package desktop_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
	"segue/gateway"
)

// The connections of an agent break in the middle of a chat, and again while the platform changes it. The session goes on:
// with ack nothing is missing and nothing comes twice; without it, what was written to a broken connection may be lost.
func connectionsBreak(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := cut.Before(t, replicas[0])
			d := open(t, p.URL(), k)
			id := start(t, chat.channel)
			offer(t, id, d)
			d.sees(chat, id, nil, "StatusChange Invited")
			d.does(chat, id, "Accept", nil, "StatusChange Chatting")
			p.Cut()
			if !k.ack {
				d.missesNothingLater(id)
				d.does(chat, id, "Leave", nil, "StatusChange Chatting")
				d.does(chat, id, "Complete", nil, "StatusChange Completed")
				require.Equal(t, 1, d.handshakes)
				d.close()
				return
			}
			d.does(chat, id, "AttachUserData", map[string]any{"userData": map[string]any{"tier": "gold"}}, "PropertiesUpdated Chatting")
			p.Away()
			command(t, id, "update_user_data", map[string]any{"user_data": map[string]any{"tier": "silver"}})
			command(t, id, "set_disposition", map[string]any{"code": "sold", "agent": d.name})
			p.Back()
			d.sees(chat, id, nil, "PropertiesUpdated Chatting", "PropertiesUpdated Chatting")
			p.Cut()
			d.does(chat, id, "Leave", nil, "StatusChange Chatting")
			d.does(chat, id, "Complete", nil, "StatusChange Completed")
			require.Equal(t, 1, d.handshakes)
			d.close()
		})
	}
}

// missesNothingLater changes the interaction until a change arrives: from then on the session is complete again.
func (d *desk) missesNothingLater(id string) {
	d.Helper()
	topics := []string{topicOf["chat"], topicOf["interaction"]}
	for n := 0; ; n++ {
		require.Less(d, n, 100)
		command(d.T, id, "set_attributes", map[string]any{"comment": strings.Repeat("!", n+1)})
		arrived := func() bool {
			for _, topic := range topics {
				notes := d.notes[id][topic]
				if len(notes) == 0 || len(notes[len(notes)-1].Resource["comment"].(string)) != n+1 {
					return false
				}
			}
			return true
		}
		if d.within(time.Duration(n+1)*300*time.Millisecond, arrived) { // longer and longer, for a slow machine
			break
		}
	}
	for _, topic := range topics {
		for _, n := range d.notes[id][topic] {
			require.Greater(d, n.Revision, d.last[id], "nothing comes twice, and all in order")
		}
		d.notes[id][topic] = nil
	}
}

// within takes what the client prints until a condition holds, for a while. It reports whether it holds.
func (d *desk) within(a time.Duration, holds func() bool) bool {
	d.Helper()
	patient := time.NewTimer(a)
	defer patient.Stop()
	for !holds() {
		select {
		case e, more := <-d.client.Events:
			require.True(d, more, "the client ended")
			d.take(e)
		case <-patient.C:
			return false
		}
	}
	return true
}

// The gateway of some agents starts again. Their clients handshake and subscribe again; they read what is, and go on.
func theGatewayStartsAgain(t *testing.T) {
	t.Parallel()
	g, err := segue.StartGateway(gateway.Options{Config: store})
	require.NoError(t, err)
	var desks []*desk
	ids := map[*desk]string{}
	for _, k := range kinds() {
		d := open(t, g.URL, k)
		ids[d] = start(t, email.channel)
		offer(t, ids[d], d)
		d.sees(email, ids[d], nil, "StatusChange Invited")
		desks = append(desks, d)
	}
	require.NoError(t, g.Stop())
	for _, d := range desks {
		command(t, ids[d], "accept", map[string]any{"agent": d.name})
	}
	listener, err := net.Listen("tcp", g.Address)
	require.NoError(t, err)
	again, err := segue.StartGateway(gateway.Options{Config: store, Listener: listener})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Stop()) })
	for _, d := range desks {
		d.until("a handshake and a subscription", func() bool { return d.handshakes == 2 && d.subscribed == 2 })
		emails := d.get("/me")["user"].(map[string]any)["emails"].([]any)
		require.Len(t, emails, 1)
		require.Equal(t, "Processing", emails[0].(map[string]any)["state"])
		d.finish(email, ids[d])
		d.close()
	}
}

// absence is agents whose connections are broken for longer than a session lives. Of three emails, each had completed one
// before, one is ended meanwhile, and one is changed.
type absence struct {
	*cut.Proxy
	desks       []*desk
	until       time.Time
	kept, ended []string
	had         []string
}

// goAway begins the absence of agents with all kinds of desktops.
func goAway(t *testing.T) *absence {
	t.Helper()
	a := &absence{Proxy: cut.Before(t, replicas[1])}
	for _, k := range kinds() {
		d := open(t, a.URL(), k)
		accepted := func() string {
			id := start(t, email.channel)
			offer(t, id, d)
			d.sees(email, id, nil, "StatusChange Invited")
			d.does(email, id, "Accept", nil, "StatusChange Processing")
			return id
		}
		a.kept, a.ended = append(a.kept, accepted()), append(a.ended, accepted())
		a.had = append(a.had, accepted())
		d.finish(email, a.had[len(a.desks)])
		a.desks = append(a.desks, d)
	}
	a.Away()
	a.until = time.Now().Add(61 * time.Second) // a session ends 60 s after its last connect
	for i := range a.desks {
		command(t, a.ended[i], "complete", nil)
		command(t, a.kept[i], "set_attributes", map[string]any{"comment": "while away"})
	}
	return a
}

// comeBack ends the absence. Each client handshakes again, and gets the present state of what the agent has and the end of what
// the agent had. What ended just before may come again: the client may not have got it.
func (a *absence) comeBack(t *testing.T) {
	t.Helper()
	time.Sleep(time.Until(a.until))
	a.Back()
	for i, d := range a.desks {
		d.until("a handshake and a subscription", func() bool { return d.handshakes == 2 && d.subscribed == 2 })
		require.Equal(t, "while away", d.sees(email, a.kept[i], nil, "StatusChange Processing")["comment"], "%s", d.kind)
		d.can(d.sees(email, a.ended[i], nil, "StatusChange Completed"), "")
		d.finish(email, a.kept[i])
		d.again(a.had[i])
		d.close()
	}
}

// again takes the end of an interaction that the agent has seen before, if it comes again.
func (d *desk) again(id string) {
	d.Helper()
	for topic, notes := range d.notes[id] {
		require.LessOrEqual(d, len(notes), 1, topic)
		for _, n := range notes {
			require.Equal(d, []any{"StatusChange", "Completed", d.last[id]}, []any{n.NotificationType, n.Resource["state"], n.Revision})
		}
		d.notes[id][topic] = nil
	}
}
