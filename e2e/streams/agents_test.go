package streams_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// operate sends an operation of an agent's session to a replica.
func (c *center) operate(replica int, agent, path, body string) {
	c.Helper()
	response := c.send(replica, agent, http.MethodPost, "/api/v2"+path, strings.NewReader(body))
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(c, err)
	require.Equal(c, http.StatusOK, response.StatusCode, "%s", text)
	require.Contains(c, string(text), `"statusCode":0`)
}

// agents returns the agents that a replica lists, by id.
func (c *center) agents(replica int) map[string]map[string]any {
	c.Helper()
	response := c.send(replica, "supervisor", http.MethodGet, "/v1/agents", nil)
	defer response.Body.Close()
	var body struct{ Agents []map[string]any }
	require.NoError(c, json.NewDecoder(response.Body).Decode(&body))
	found := map[string]map[string]any{}
	for _, agent := range body.Agents {
		found[agent["id"].(string)] = agent
	}
	return found
}

func TestStreamsHaveThePresenceOfAgents(t *testing.T) {
	c := newCenter(t)
	all, own := c.open(1, "supervisor", "", ""), c.open(0, "ann", "?when=agent.state", "")
	other, onlyBob := c.open(0, "bob", "", ""), c.open(1, "admin", "?agent=bob", "")
	none, unwanted := c.open(1, "admin", "?interaction=one", ""), c.open(1, "admin", "?when=segment_change", "")

	c.operate(0, "ann", "/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
	c.operate(1, "ann", "/me", `{"operationName":"Ready"}`)
	c.operate(1, "ann", "/me", `{"operationName":"Ready"}`) // changes nothing: no event
	c.operate(0, "ann", "/me/channels/chat", `{"operationName":"Lunch"}`)
	c.operate(0, "ann", "/me", `{"operationName":"EndContactCenterSession"}`)
	c.operate(1, "bob", "/me", `{"operationName":"StartContactCenterSession","channels":["chat"]}`)
	for _, stream := range []*events{all, own} {
		for _, want := range [][2]string{{"LoggedOut", "NotReady"}, {"NotReady", "Ready"}, {"Ready", "Lunch"}, {"Lunch", "LoggedOut"}} {
			got := stream.next()
			require.Equal(t, "agent.state", got.name)
			require.Empty(t, got.id)
			body := got.body(t)
			require.Equal(t, c.name, body["contact_center"])
			require.Equal(t, "agent.state", body["when"])
			require.NotEmpty(t, body["at"])
			require.Equal(t, "ann", body["agent"].(map[string]any)["id"])
			fields := body["fields"].(map[string]any)
			require.Equal(t, want, [2]string{fields["previous"].(string), fields["state"].(string)})
			if want[1] == "Lunch" {
				chat := fields["channels"].([]any)[1].(map[string]any)
				require.Equal(t, "chat", chat["channel"])
				require.Equal(t, "Lunch", chat["state"])
				require.NotEmpty(t, chat["since"])
			}
		}
	}
	for _, stream := range []*events{all, other, onlyBob} {
		require.Equal(t, "bob", stream.next().body(t)["agent"].(map[string]any)["id"])
	}

	c.start("one", `,"commands":[{"command":"place_in_queue","queue":"sales"},{"command":"accept","agent":"eve"}]`)
	all.until("segment_change")
	none.next()
	require.NotEqual(t, "agent.state", names(unwanted.until("segment_change"))[0])
	resumed := c.open(0, "supervisor", "", all.lastID())
	c.operate(0, "bob", "/me", `{"operationName":"Ready"}`)
	for _, stream := range []*events{all, resumed} { // the logins before are not repeated
		got := stream.until("agent.state")
		require.Equal(t, "Ready", got[len(got)-1].body(t)["fields"].(map[string]any)["state"])
	}
}

func TestAgentsAreListedWithTheirPresence(t *testing.T) {
	c := newCenter(t)
	require.Empty(t, c.agents(0))
	c.operate(0, "bob", "/me", `{"operationName":"StartContactCenterSession","channels":["chat"]}`)
	c.start("one", `,"commands":[{"command":"offer","agent":"ann"}]`)
	require.Eventually(t, func() bool { return len(c.agents(0)) == 2 }, patience, 10*time.Millisecond)
	agents := c.agents(0)
	require.NotContains(t, agents["ann"], "presence")
	require.Equal(t, "offered", agents["ann"]["state"])
	require.Equal(t, "idle", agents["bob"]["state"])
	require.Empty(t, agents["bob"]["interactions"])
	presence := agents["bob"]["presence"].(map[string]any)
	require.Equal(t, "NotReady", presence["state"])
	require.NotEmpty(t, presence["since"])
	require.Equal(t, "chat", presence["channels"].([]any)[0].(map[string]any)["channel"])
	require.Eventually(t, func() bool { return c.agents(1)["bob"]["presence"] != nil }, patience, 10*time.Millisecond)
	c.operate(0, "bob", "/me", `{"operationName":"EndContactCenterSession"}`)
	require.NotContains(t, c.agents(0), "bob")
}
