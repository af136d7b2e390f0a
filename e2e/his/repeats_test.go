package his_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// TestASignalWhoseAnswerWasLostIsOneSignal: the client loses its WebSocket before the answer and sends the signal again
// in its next session. Real refusals are in the words of HIS, too.
func TestASignalWhoseAnswerWasLostIsOneSignal(t *testing.T) {
	const id, on = "lost-answer", "c-1.lost-answer"
	revision := func() any { return platform(t, http.MethodGet, "/interactions/"+id, "")["revision"] }
	c, _ := agent(t, "rita")
	c.succeeds("session.request.addchannel", "", `{"channel":{"endpoint":"x1","type":"Telephony"}}`)
	c.events(3)
	platform(t, http.MethodPost, "/interactions", `{"id":"`+id+`","channel":"inbound"}`)
	platform(t, http.MethodPost, "/interactions/"+id+"/commands/offer", `{"agent":"rita"}`)
	c.events(11)
	refused := c.ask("conversation.hold", on+".p", `{}`)
	require.Equal(t, "state ALERTING; legal interaction.accept, conversation.answer, interaction.reject", at(refused, "failure", "context"))
	c.succeeds("interaction.accept", on, `{}`)
	refused = c.ask("interaction.consultdial", on, `{"destination":"1\n2"}`)
	require.Equal(t, "field data.destination", at(refused, "failure", "context"))
	before := revision()

	signal := func(c *client, request string) {
		frame := fmt.Sprintf(`{"command":"interaction.request.incontact.signal","target":"%s.%s","requestId":%q,"data":{"p1":"greeted"}}`, c.session, on, request)
		require.NoError(t, c.conn.Write(t.Context(), websocket.MessageText, []byte(frame)))
	}
	answered := func(c *client) {
		for {
			if read := c.read(); read["messageType"] != "objectEvent" {
				require.Equal(t, "success", read["result"], read)
				return
			}
		}
	}
	signal(c, "s1") // and the answer is not read
	require.Eventually(t, func() bool { return revision() != before }, patience, pollEvery)
	once := revision()
	require.NoError(t, c.conn.CloseNow())
	c, _ = agent(t, "rita")
	signal(c, "s1")
	answered(c)
	require.Equal(t, once, revision(), "one signal")
	signal(c, "s2")
	answered(c)
	require.NotEqual(t, once, revision(), "another one")
	c.succeeds("interaction.complete", on, `{}`)
	c.succeeds("session.request.logout", "", `{}`)
}
