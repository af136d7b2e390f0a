package his_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func eleven(channel, id, interaction, conversation string) []string {
	on := channel + "." + id
	return []string{"channel.infochanged " + channel, "state ACTIVE " + channel, "interaction.created " + on, "state " + interaction + " " + on,
		"conversation.created " + on + ".p", "state " + conversation + " " + on + ".p", "conversation.member.added " + on + ".p", "conversation.initialized " + on + ".p",
		"interaction.datachanged " + on, "interaction.preview " + on, "interaction.initialized " + on}
}

// groupsOf are the events of the channel group that a channel is in; none for one in no group.
func groupsOf(group string) []string {
	if group == "" {
		return nil
	}
	return []string{"channelgroup.created g-1", "channelgroup.initialized g-1"}
}

// telephone opens a session with a Telephony channel, c-1, in a group if that is not empty.
func telephone(t *testing.T, name, group string) (c *client, channel string) {
	t.Helper()
	c, replay := agent(t, name)
	require.Equal(t, []string{"session.initialized"}, replay)
	channel = group + "c-1"
	if group == "" {
		c.succeeds("session.request.addchannel", "", `{"channel":{"endpoint":"x1","type":"Telephony"}}`)
	} else {
		c.succeeds("session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[{"endpoint":"x1","type":"Telephony"}]}`)
		require.Equal(t, groupsOf(group), c.events(2))
	}
	require.Equal(t, []string{"channel.initialized " + channel, "state INACTIVE " + channel, "channel.externaldispositions.updated " + channel}, c.events(3))
	return c, channel
}

// TestACallFromDialToDisposition dials, talks, wraps up, and finds each signal in the history.
func TestACallFromDialToDisposition(t *testing.T) {
	for _, group := range []string{"", "g-1."} {
		t.Run("in group "+group, func(t *testing.T) {
			c, channel := telephone(t, unique("ann"), group)
			c.succeeds("channel.dial", channel, `{"destination":"+4930","extensions":{"order":"7"}}`)
			first := c.event()
			require.Equal(t, "channel.infochanged", first["name"])
			ids, _ := at(first, "data", "channel", "interactions").([]any)
			require.Len(t, ids, 1)
			id, _ := ids[0].(string)
			require.True(t, strings.HasPrefix(id, "his-"))
			require.Equal(t, eleven(channel, id, "DIALING", "DIALING")[1:], c.events(10))
			on := channel + "." + id
			platform(t, http.MethodPost, "/interactions/"+id+"/commands/connect", `{}`)
			require.Equal(t, []string{"state ACTIVE " + on + ".p", "state STARTED " + on}, c.events(2))
			for range 2 {
				c.succeeds("interaction.request.incontact.signal", on, `{"p1":"x"}`)
			}
			c.succeeds("conversation.hangup", on+".p", `{}`)
			require.Equal(t, []string{"state ENDED " + on + ".p", "conversation.disposed " + on + ".p"}, c.events(2))
			c.succeeds("interaction.setdisposition", on, `{"interactionDispositionId":"d1"}`)
			require.Equal(t, []string{"interaction.datachanged " + on}, c.events(1))
			c.succeeds("interaction.complete", on, `{}`)
			require.Equal(t, []string{"state ENDED " + on, "interaction.ended " + on, "channel.infochanged " + channel, "state INACTIVE " + channel}, c.events(4))
			state := platform(t, http.MethodGet, "/interactions/"+id, "")
			require.Equal(t, "SOLD", at(state, "disposition", "code"))
			require.Equal(t, object{"order": "7"}, state["user_data"])
			c.succeeds("session.request.logout", "", `{}`)
		})
	}
}

// TestTwoDesktopsSeeAConsultAndItsTransfer has two agents, and a change by the platform, seen by both with one
// sequence.
func TestTwoDesktopsSeeAConsultAndItsTransfer(t *testing.T) {
	for _, group := range []string{"", "g-1."} {
		t.Run("in group "+group, func(t *testing.T) { playAConsultAndItsTransfer(t, group) })
	}
}

func playAConsultAndItsTransfer(t *testing.T, group string) {
	t.Helper()
	beaName, benName, id := unique("bea"), unique("ben"), unique("consult.1")
	bea, channel := telephone(t, beaName, group)
	ben, _ := telephone(t, benName, group)
	platform(t, http.MethodPost, "/interactions", `{"id":"`+id+`","channel":"inbound","ani":"+49","commands":[{"command":"place_in_queue","queue":"q"},{"command":"offer","agent":"`+beaName+`"}]}`)
	escaped := strings.ReplaceAll(id, ".", "%2E")
	on := channel + "." + escaped
	require.Equal(t, eleven(channel, escaped, "ALERTING", "ALERTING"), bea.events(11))
	bea.succeeds("conversation.answer", on+".p", `{}`)
	require.Equal(t, []string{"state ACTIVE " + on + ".p", "state STARTED " + on}, bea.events(2))
	bea.succeeds("interaction.consultdial", on, `{"agent":"`+benName+`"}`)
	require.Equal(t, []string{"conversation.created " + on + ".k-1", "state ACTIVE " + on + ".k-1", "conversation.member.added " + on + ".k-1",
		"conversation.initialized " + on + ".k-1", "interaction.focuschanged " + on}, bea.events(5))
	require.Equal(t, eleven(channel, escaped, "STARTED", "ACTIVE"), ben.events(11))
	platform(t, http.MethodPost, "/interactions/"+id+"/commands/update_user_data", `{"user_data":{"k":1}}`)
	one, two := bea.event(), ben.event()
	require.Equal(t, "interaction.datachanged", one["name"])
	require.Equal(t, []any{one["sequence"], one["revision"], one["data"]}, []any{two["sequence"], two["revision"], two["data"]})

	require.NoError(t, bea.conn.CloseNow())
	again, replay := agent(t, beaName)
	want := append(groupsOf(group), "channel.initialized "+channel, "state INACTIVE "+channel, "channel.externaldispositions.updated "+channel)
	want = append(want, eleven(channel, escaped, "STARTED", "ACTIVE")[:8]...)
	want = append(want, "conversation.created "+on+".k-1", "state ACTIVE "+on+".k-1", "conversation.member.added "+on+".k-1", "conversation.initialized "+on+".k-1",
		"interaction.focuschanged "+on, "interaction.datachanged "+on, "interaction.initialized "+on, "session.initialized")
	require.Equal(t, want, replay)
	again.succeeds("interaction.consulttransfer", on, `{}`)
	require.Equal(t, []string{"state ENDED " + on + ".p", "conversation.disposed " + on + ".p", "interaction.focuschanged " + on, "state ENDED " + on + ".k-1",
		"conversation.disposed " + on + ".k-1", "interaction.ended " + on, "channel.infochanged " + channel, "state INACTIVE " + channel}, again.events(8))
	refused := again.ask("interaction.complete", on, `{}`)
	require.Equal(t, "ILLEGAL_STATE", at(refused, "failure", "code"))
	ben.succeeds("interaction.complete", on, `{}`)
	require.Equal(t, "interaction.ended "+on, ben.events(6)[3])
}

func TestAReloadReachesOpenSessions(t *testing.T) {
	c, channel := telephone(t, unique("cara"), "")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(settings, "value: SOLD", "value: WON", 1)), 0o600))
	reload <- syscall.SIGHUP
	e := c.event()
	require.Equal(t, "channel.externaldispositions.updated", e["name"])
	list, _ := at(e, "data", "dispositions").([]any)
	require.Len(t, list, 1)
	require.Equal(t, "WON", at(list[0], "value"))
	answer := c.succeeds("channel.request.incontact.getscripts", channel, `{}`)
	require.Equal(t, object{"scripts": []any{object{"scriptId": "s1", "scriptName": "Sales"}}}, answer["data"])
}

// TestAConfiguredCallIsAsked: a reload names a call, whose real receiver lists what desktops offer.
func TestAConfiguredCallIsAsked(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"scripts":[{"channel":"inbound","id":"s7","name":"`+r.URL.Query().Get("center")+`"}],`+
			`"dispositions":[{"channel":"inbound","id":"d7","value":"ASKED"}]}`)
	}))
	t.Cleanup(receiver.Close)
	c, channel := telephone(t, unique("cleo"), "")
	called := `calls: [{name: desk, method: GET, url: "` + receiver.URL + `", query: [{name: center, value: "${interaction.contact_center}"}]}]
desktop: {call: desk}
guard: {allow: ["127.0.0.0/8"]}
`
	require.NoError(t, os.WriteFile(file, []byte(called), 0o600))
	reload <- syscall.SIGHUP
	for asked := false; !asked; { // the lists of before go first
		e := c.event()
		require.Equal(t, "channel.externaldispositions.updated", e["name"])
		list, _ := at(e, "data", "dispositions").([]any)
		asked = len(list) == 1 && at(list[0], "value") == "ASKED"
	}
	answer := c.succeeds("channel.request.incontact.getscripts", channel, `{}`)
	require.Equal(t, object{"scripts": []any{object{"scriptId": "s7", "scriptName": "default"}}}, answer["data"])
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	reload <- syscall.SIGHUP
	require.Equal(t, []string{"channel.externaldispositions.updated " + channel}, c.events(1))
	answer = c.succeeds("channel.request.incontact.getscripts", channel, `{}`)
	require.Equal(t, object{"scripts": []any{object{"scriptId": "s1", "scriptName": "Sales"}}}, answer["data"])
}
