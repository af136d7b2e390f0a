package his_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dataOfACall is the name, the target and the data of each event of a call, in order.
const dataOfACall = `
channel.infochanged CHANNEL {"channel":{"endpoint":"x1","id":"c-1","interactions":["ID"],"type":"Telephony"}}
state.updated CHANNEL {"previous":"INACTIVE","state":"ACTIVE"}
interaction.created CALL {"interaction":{"direction":"outbound","id":"ID","nativeId":""}}
state.updated CALL {"state":"DIALING"}
conversation.created CALL.p {"conversation":{"id":"p","type":"primary"}}
state.updated CALL.p {"state":"DIALING"}
conversation.member.added CALL.p {"member":{"address":"+4930","id":"customer","type":"customer"}}
conversation.initialized CALL.p {"conversation":{"id":"p","type":"primary"}}
interaction.datachanged CALL {"attributes":{"ani":"","businessProcess":"","comment":"","dnis":"","nativeId":""},"data":{"order":"7"}}
interaction.preview CALL {"capabilities":[…]}
interaction.initialized CALL {"capabilities":[…]}
state.updated CALL.p {"previous":"DIALING","state":"ACTIVE"}
state.updated CALL {"previous":"DIALING","state":"STARTED"}
interaction.datachanged CALL {"attributes":{"ani":"+49","businessProcess":"","comment":"","dnis":"+1","nativeId":"n-1"},"data":{"order":"7"}}
conversation.updated CALL.p {"ani":"+49","dnis":"+1","nativeId":"n-1"}
interaction.incontact.signaladded CALL {"name":"sell","p1":"a","p20":"z","tooltip":"Sell"}
interaction.incontact.signalremoved CALL {"name":"sell"}
conversation.created CALL.k-1 {"conversation":{"id":"k-1","type":"consult"}}
state.updated CALL.k-1 {"state":"ACTIVE"}
conversation.member.added CALL.k-1 {"member":{"address":"+4940","id":"+4940","type":"external"}}
conversation.initialized CALL.k-1 {"conversation":{"id":"k-1","type":"consult"}}
interaction.focuschanged CALL {"conversation":{"id":"k-1","type":"consult"}}
state.updated CALL.k-1 {"previous":"ACTIVE","state":"ENDED"}
conversation.disposed CALL.k-1 {}
interaction.focuschanged CALL {"conversation":{"id":"p","type":"primary"}}
state.updated CALL.p {"previous":"ACTIVE","state":"HELD"}
state.updated CALL.p {"previous":"HELD","state":"ACTIVE"}
state.updated CALL.p {"previous":"ACTIVE","state":"ENDED"}
conversation.disposed CALL.p {}
interaction.datachanged CALL {"attributes":{"ani":"+49","businessProcess":"","comment":"","dnis":"+1","nativeId":"n-1"},"data":{"order":"7"},"disposition":{"agent":"AGENT","interactionDispositionId":"d1","notes":"n","value":"SOLD"}}
state.updated CALL {"previous":"STARTED","state":"ENDED"}
interaction.ended CALL {"outcome":"handled","reason":"completed"}
channel.infochanged CHANNEL {"channel":{"endpoint":"x1","id":"c-1","interactions":[],"type":"Telephony"}}
state.updated CHANNEL {"previous":"ACTIVE","state":"INACTIVE"}
`

// TestTheDataOfTheEventsOfACall plays a call, with and without a channel group, and requires all that each event has.
func TestTheDataOfTheEventsOfACall(t *testing.T) {
	for _, group := range []string{"", "g-1."} {
		t.Run("in group "+group, func(t *testing.T) {
			name := unique("dan")
			c, channel := telephone(t, name, group)
			s := script{client: c, lines: strings.Split(strings.TrimSpace(dataOfACall), "\n")}
			c.succeeds("channel.dial", channel, `{"destination":"+4930","extensions":{"order":"7"}}`)
			first := c.event()
			ids, _ := at(first, "data", "channel", "interactions").([]any)
			require.Len(t, ids, 1)
			c.waiting = slices.Insert(c.waiting, 0, first)
			id := fmt.Sprint(ids[0])
			on := channel + "." + id
			s.names = strings.NewReplacer("CALL", c.session+"."+on, "CHANNEL", c.session+"."+channel, "AGENT", name, "ID", id)
			s.follows(11)
			by := func(command, payload string) {
				platform(t, http.MethodPost, "/interactions/"+id+"/commands/"+command, payload)
			}
			by("connect", `{}`)
			s.follows(2)
			by("set_attributes", `{"native_id":"n-1","ani":"+49","dnis":"+1"}`)
			s.follows(2)
			by("signal_added", `{"name":"sell","tooltip":"Sell","p1":"a","p20":"z"}`)
			by("signal_removed", `{"name":"sell"}`)
			s.follows(2)
			c.succeeds("interaction.consultdial", on, `{"destination":"+4940"}`)
			s.follows(5)
			c.succeeds("conversation.hangup", on+".k-1", `{}`)
			s.follows(3)
			c.succeeds("conversation.hold", on+".p", `{}`)
			c.succeeds("conversation.retrieve", on+".p", `{}`)
			s.follows(2)
			c.succeeds("conversation.hangup", on+".p", `{}`)
			s.follows(2)
			c.succeeds("interaction.setdisposition", on, `{"interactionDispositionId":"d1","notes":"n"}`)
			s.follows(1)
			c.succeeds("interaction.complete", on, `{}`)
			s.follows(4)
			require.Empty(t, s.lines)
		})
	}
}

// script is the events that a client has still to get.
type script struct {
	*client
	lines []string
	names *strings.Replacer
}

// follows requires the next events. Capabilities are tested elsewhere: here there have to be some.
func (s *script) follows(n int) {
	s.t.Helper()
	for range n {
		e := s.event()
		data, _ := e["data"].(object)
		may, hasCapabilities := data["capabilities"].([]any)
		if hasCapabilities {
			require.NotEmpty(s.t, may)
			data["capabilities"] = []any{"…"}
		}
		text, err := json.Marshal(data)
		require.NoError(s.t, err)
		require.Equal(s.t, s.names.Replace(s.lines[0]), fmt.Sprint(e["name"], " ", e["target"], " ", strings.ReplaceAll(string(text), `["…"]`, "[…]")))
		require.Positive(s.t, e["revision"])
		require.Positive(s.t, e["sequence"])
		s.lines = s.lines[1:]
	}
}
