package desktop_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// foreign are the words of other APIs, which a client of HIS has never sent.
var foreign = regexp.MustCompile(`to\.(number|agent)|user_data|event_id|set_disposition|script_signal|\bcode:|\b(consult|reject|dial|start|hold|accept|disconnect|leave): |same key|` +
	`legal: [^.]*\b(accept|hold|consult|transfer),`)

// refuses checks that a request is refused because of a field, and names it, its value and the remedy in words of HIS.
func (c *seat) refuses(command, target, data, field, value string) {
	c.t.Helper()
	answer := c.fails("INVALID_REQUEST", command, target, data)
	message, _ := at(answer, "failure", "message").(string)
	require.True(c.t, strings.HasPrefix(message, field+": "), "%s: %s", field, message)
	require.Equal(c.t, "field "+field, at(answer, "failure", "context"), message)
	require.NotRegexp(c.t, foreign, message)
	require.Contains(c.t, message, value)
	require.Regexp(c.t, "; (send|remove|use)|neither true nor false", message, "the remedy")
	require.Less(c.t, len(message), 300, message)
}

// TestDataThatIsNotAsDocumentedIsRefused: each field of each command, missing, null, of another type, blank, too long, or
// contrary to another field. Nothing of a refused request happens.
func TestDataThatIsNotAsDocumentedIsRefused(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
	c.events(13)
	w.mu.Lock()
	before := len(w.stream)
	w.mu.Unlock()
	long := strings.Repeat("9", 300)
	text := strings.Repeat("x", 8<<10+1)
	for _, row := range []struct{ command, target, data, field, value string }{
		{"session.addchannel", "", `null`, "data.channel", "is missing"},
		{"session.addchannel", "", `{"channel":null}`, "data.channel", "is missing"},
		{"session.addchannel", "", `{"channel":7}`, "data.channel", "7: "},
		{"session.addchannel", "", `{"channel":[]}`, "data.channel", "[]: "},
		{"session.addchannel", "", `[7]`, "data", "[7]: "},
		{"session.addchannel", "", `{"channel":{}}`, "data.channel.type", "Telephony, Chat, Email"},
		{"session.addchannel", "", `{"channel":{"type":""}}`, "data.channel.type", "is missing"},
		{"session.addchannel", "", `{"channel":{"type":"telephony"}}`, "data.channel.type", `"telephony": `},
		{"session.addchannel", "", `{"channel":{"type":"Fax"}}`, "data.channel.type", "Telephony, Chat, Email"},
		{"session.addchannel", "", `{"channel":{"type":7}}`, "data.channel.type", "7: "},
		{"session.addchannel", "", `{"channel":{"type":"Chat","endpoint":7}}`, "data.channel.endpoint", "7: "},
		{"session.addchannel", "", `{"channel":{"type":"Chat","endpoint":"` + long + `"}}`, "data.channel.endpoint", "300 bytes"},
		{"session.addchannelgroup", "", `{}`, "data.channelgroup", "is missing"},
		{"session.addchannelgroup", "", `{"channelgroup":"g"}`, "data.channelgroup", `"g": `},
		{"session.addchannelgroup", "", `{"channelgroup":{}}`, "data.channelgroup.name", "is missing"},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":null}}`, "data.channelgroup.name", "is missing"},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":" "}}`, "data.channelgroup.name", "is missing"},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":{}}}`, "data.channelgroup.name", "{}: "},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":"` + long + `"}}`, "data.channelgroup.name", "300 bytes"},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":{}}`, "data.channels", "{}: "},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[7]}`, "data.channels", "[7]: "},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[{"type":"Chat"},{"type":"chat"}]}`, "data.channels[1].type", `"chat": `},
		{"session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[` + strings.Repeat("{},", 20) + `{}]}`, "data.channels", "at most 20"},
		{"channel.dial", "c-1", `{}`, "data.destination", "is missing"},
		{"channel.dial", "c-1", `{"destination":null}`, "data.destination", "is missing"},
		{"channel.dial", "c-1", `{"destination":"  "}`, "data.destination", "is missing"},
		{"channel.dial", "c-1", `{"destination":7}`, "data.destination", "7: "},
		{"channel.dial", "c-1", `{"destination":"` + long + `"}`, "data.destination", "at most 255"},
		{"channel.dial", "c-1", `{"destination":"1\n2"}`, "data.destination", "control character"},
		{"channel.dial", "c-1", `{"destination":"+1","extensions":"x"}`, "data.extensions", `"x": `},
		{"channel.dial", "c-1", `{"destination":"+1","extensions":[1]}`, "data.extensions", `[1]: `},
		{"channel.dial", "c-1", `{"destination":"+1","extensions":{"a":{"b":"\u0000"}}}`, "data.extensions.a.b", "NUL"},
		{"interaction.reject", "c-1.i1", `{"reason":7}`, "data.reason", "7: "},
		{"interaction.reject", "c-1.i1", `{"reason":"` + text + `"}`, "data.reason", "at most 8192"},
		{"interaction.setdisposition", "c-1.i1", `{}`, "data.interactionDispositionId", "is missing"},
		{"interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"","value":" "}`, "data.interactionDispositionId", "is missing"},
		{"interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d9"}`, "data.interactionDispositionId", `"d9": `},
		{"interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":7}`, "data.interactionDispositionId", `7: `},
		{"interaction.setdisposition", "c-1.i1", `{"value":7}`, "data.value", "7: "},
		{"interaction.setdisposition", "c-1.i1", `{"value":"` + long + `"}`, "data.value", "at most 128"},
		{"interaction.setdisposition", "c-1.i1", `{"value":"v","notes":7}`, "data.notes", "7: "},
		{"interaction.setdisposition", "c-1.i1", `{"value":"v","notes":"` + text + `"}`, "data.notes", "at most 8192"},
		{"interaction.consultdial", "c-1.i1", `{}`, "data.destination", "is missing"},
		{"interaction.consultdial", "c-1.i1", `{"destination":" "}`, "data.destination", "is missing"},
		{"interaction.consultdial", "c-1.i1", `{"destination":7}`, "data.destination", "7: "},
		{"interaction.consultdial", "c-1.i1", `{"agent":{"id":"bob"}}`, "data.agent", `{"id":"bob"}: `},
		{"interaction.consultdial", "c-1.i1", `{"destination":"+1","agent":"bob"}`, "data.agent", `"bob": `},
		{"interaction.consultdial", "c-1.i1", `{"destination":"` + long + `"}`, "data.destination", "at most 255"},
		{"interaction.consultdial", "c-1.i1", `{"agent":"` + long + `"}`, "data.agent", "at most 256"},
		{"interaction.incontact.signal", "c-1.i1", `{"p1":{}}`, "data.p1", "{}: "},
		{"interaction.incontact.signal", "c-1.i1", `{"p20":true}`, "data.p20", "true: "},
		{"interaction.incontact.signal", "c-1.i1", `{"p2":"` + text + `"}`, "data.p2", "at most 8192"},
		{"interaction.incontact.signal", "c-1.i1", `{"name":7}`, "data.name", "7: "},
		{"interaction.incontact.signal", "c-1.i1", `{"name":"` + long + `"}`, "data.name", "at most 255"},
		{"interaction.accept", "c-1.i1", `7`, "data", "7: "},
	} {
		t.Run(row.command+" "+row.field+" "+row.value, func(t *testing.T) {
			c.t = t
			c.refuses(row.command, row.target, row.data, row.field, row.value)
		})
	}
	c.t = t
	w.mu.Lock()
	require.Len(t, w.stream, before, "nothing has happened")
	w.mu.Unlock()
	c.succeeds("session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[{"type":"Chat"}]}`)
	require.Equal(t, "channelgroup.created g-1", c.events(1)[0], "the first one")
	c.events(4)
}

func TestARefusedTargetSaysWhatItIsAndWhatTheCommandIsFor(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	c.events(11)
	for _, row := range []struct{ command, target, want string }{
		{"interaction.accept", "c-1", "is a channel, and interaction.accept is for an interaction"},
		{"interaction.accept", "c-1.i1.p", "is a conversation, and interaction.accept is for an interaction"},
		{"conversation.hold", "c-1.i1", "is an interaction, and conversation.hold is for a conversation"},
		{"channel.dial", "", "is the session, and channel.dial is for a channel"},
		{"session.addchannel", "c-1", "is a channel, and session.addchannel is for the session or a channel group"},
	} {
		message := at(c.fails("INVALID_REQUEST", row.command, row.target, `{"destination":"+1"}`), "failure", "message")
		require.Contains(t, message, "target: ")
		require.Contains(t, message, c.session)
		require.Contains(t, message, row.want)
	}
	require.Contains(t, at(c.fails("NOT_FOUND", "interaction.accept", "c-1.none", `{}`), "failure", "message"), "c-1.none")
	require.Contains(t, at(c.fails("UNKNOWN_COMMAND", "interaction.fly", "c-1.i1", `{}`), "failure", "message"), "interaction.fly")
}

// TestWhatIsNotLegalIsSaidInWordsOfHIS: the command as it was sent, the state of the object, and the commands that
// interaction.initialized would list.
func TestWhatIsNotLegalIsSaidInWordsOfHIS(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	c.events(11)
	failure := func(command, target, data string) (message, context string) {
		answer := c.fails("ILLEGAL_STATE", command, target, data)
		message, _ = at(answer, "failure", "message").(string)
		context, _ = at(answer, "failure", "context").(string)
		require.NotRegexp(t, foreign, message)
		return message, context
	}
	message, context := failure("conversation.request.hold", "c-1.i1.p", `{}`)
	require.Contains(t, message, "conversation.request.hold is not legal in state ALERTING")
	require.Equal(t, "state ALERTING; legal interaction.accept, conversation.answer, interaction.reject", context)
	message, _ = failure("interaction.consulttransfer", "c-1.i1", `{}`)
	require.Contains(t, message, "interaction.consulttransfer is not legal in state ALERTING")

	c.succeeds("interaction.accept", "c-1.i1", `{}`)
	c.events(2)
	message, context = failure("interaction.consultconference", "c-1.i1", `{}`)
	require.Contains(t, message, "nobody is consulted")
	require.Contains(t, context, "state STARTED")
	message, _ = failure("interaction.consulttransfer", "c-1.i1", `{}`)
	require.Contains(t, message, "nobody is consulted")
	c.succeeds("interaction.complete", "c-1.i1", `{}`)
	c.events(6)
	message, context = failure("interaction.accept", "c-1.i1", `{}`)
	require.Contains(t, message, "state ENDED")
	require.Equal(t, "state ENDED", context)
}

// TestTheContactCenterOfASession: the id, the headers or the query name it, and not two of them.
func TestTheContactCenterOfASession(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		query  string
		header http.Header
		id     string
		code   string // of the failure; empty for a session
	}{
		"by the id":               {"", nil, "berlin/ann", ""},
		"by the query":            {"?contact_center=berlin", nil, "bea", ""},
		"by a header":             {"", http.Header{"Segue-Contact-Center": {"berlin"}}, "bob", ""},
		"by all":                  {"?contact_center=berlin", http.Header{"Contactcenterid": {"berlin"}}, "berlin/ben", ""},
		"another by the query":    {"?contact_center=paris", nil, "ann", "NOT_PERMITTED"},
		"two, of id and query":    {"?contact_center=paris", nil, "berlin/ann", "INVALID_REQUEST"},
		"two, of id and header":   {"", http.Header{"Segue-Contact-Center": {"paris"}}, "berlin/ann", "INVALID_REQUEST"},
		"two, of query and query": {"?contact_center=paris&contact_center=berlin", nil, "ann", "INVALID_REQUEST"},
		"no id in the query":      {"?contact_center=a%20b", nil, "ann", "INVALID_REQUEST"},
		"no id":                   {"", nil, "a b/ann", "INVALID_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.upgrade(row.query, row.header)
			c.t = t
			data := `{"agent":{"id":"` + row.id + `","password":"right"}}`
			if row.code == "" {
				c.succeeds("prepareSession", "", data)
				return
			}
			message := at(c.fails(row.code, "prepareSession", "", data), "failure", "message")
			if row.code == "INVALID_REQUEST" {
				require.Contains(t, message, "data.agent.id")
			}
		})
	}
	c := w.connect()
	for _, row := range []struct{ data, field, value string }{
		{`{}`, "data.agent", "is missing"}, {`{"agent":"ann"}`, "data.agent", `"ann": `}, {`{"agent":{"id":7}}`, "data.agent.id", "7: "},
		{`{"agent":{}}`, "data.agent.id", "is missing"}, {`{"agent":{"id":"ann","password":7}}`, "data.agent.password", "is not a text"},
		{`{"agent":{"id":"ann","password":"right"},"override":"true"}`, "data.override", `"true": `},
		{`{"agent":{"id":"ann","password":"right"},"model":7}`, "data.model", `7: `},
		{`{"agent":{"id":"a b/ann","password":"right"}}`, "data.agent.id", `"a b/ann": `},
	} {
		c.refuses("prepareSession", "", row.data, row.field, row.value)
	}
	require.NotContains(t, at(c.fails("INVALID_REQUEST", "prepareSession", "", `{"agent":{"id":"ann","password":["secret"]}}`), "failure", "message"), "secret")
}
