package gateway_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// TestWhoMayStart: supervisors and agents start nothing, whatever the start says.
func TestWhoMayStart(t *testing.T) {
	for _, c := range within {
		body := fmt.Sprintf(`{"id":"started-by-%s","channel":"inbound"}`, c.name)
		if c.role == interaction.RolePlatform || c.role == interaction.RoleAdmin {
			c.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", body)
			continue
		}
		a := c.must(t, http.StatusForbidden, http.MethodPost, "/v1/interactions", body)
		require.Equal(t, "not-permitted", a.Problem())
		require.Equal(t, "role", a.Body["why"])
		require.Equal(t, "start", a.Body["command"])
		thePlatform.must(t, http.StatusNotFound, http.MethodGet, "/v1/interactions/started-by-"+c.name, "")
	}
}

// TestWhoMayOperate: deliveries are for the platform and admins.
func TestWhoMayOperate(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"operated","channel":"inbound"}`)
	for _, c := range within {
		may := c.role == interaction.RolePlatform || c.role == interaction.RoleAdmin
		for path, status := range map[string]int{
			"/v1/interactions/operated/deliveries/msg_1/redeliver": 404, "/v1/interactions/operated/deliveries/msg_1/discard": 404,
			"/v1/deliveries/redeliver": 200,
		} {
			if !may {
				status = http.StatusForbidden
			}
			c.must(t, status, http.MethodPost, path, "{}")
		}
	}
}

// TestNobodyActsAsAnother: only the platform says who gives a command. Nothing that another caller sends
// as by, in a command, an array or a start, makes it somebody else's.
func TestNobodyActsAsAnother(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"acted","channel":"inbound","commands":[`+offered+`]}`)
	forged := []string{
		`{"id":"ann","role":"agent"}`, `{"id":"ann"}`, `{"role":"platform"}`, `{"role":"admin"}`, `{"id":"","role":"platform"}`, `"ann"`, `["ann"]`, `7`, `true`,
		`{"ID":"ann"}`, `{"id":["carl"],"role":"agent"}`, `{"id":{"id":"ann"}}`, `{"id":"carl","role":"agent","Role":"platform"}`, `{"id":"carl","id ":"ann","role":"Agent"}`,
	}
	for _, by := range forged {
		for _, c := range []caller{bob, theSupervisor} {
			a, err := c.send(http.MethodPost, "/v1/interactions/acted/commands/accept", `{"agent":"ann","by":`+by+`}`)
			require.NoError(t, err)
			require.Contains(t, []int{http.StatusForbidden, http.StatusUnprocessableEntity}, a.Status, "%s as %s: %s", c.name, by, a.Raw)
			a, err = c.send(http.MethodPost, "/v1/interactions/acted/commands", `[{"command":"accept","agent":"ann","by":`+by+`}]`)
			require.NoError(t, err)
			require.Contains(t, string(a.Raw), `"error"`, "%s as %s", c.name, by)
		}
	}
	for _, payload := range []string{`{"agent":"ann"}`, `{"agent":{"id":"ann"}}`, `{"by":null,"agent":"ann"}`, `{"by":"","agent":"ann"}`, `{"actor":"ann"}`} {
		a := bob.must(t, http.StatusForbidden, http.MethodPost, "/v1/interactions/acted/commands/accept", payload)
		require.Equal(t, "agent", a.Body["why"], payload)
	}
	require.Equal(t, "offered", thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/acted", "").Body["state"])
	a := thePlatform.must(t, http.StatusOK, http.MethodPost, "/v1/interactions/acted/commands/accept", `{"by":{"id":"ann","role":"agent"}}`)
	require.Equal(t, "handling", a.Body["state"])
	require.NotContains(t, textsOf(a.Body, "capabilities"), "abandon", "those of ann")
}

// TestAgentsReadNoFigures: queues, other agents, receivers and their deliveries are for who operates
// the contact center.
func TestAgentsReadNoFigures(t *testing.T) {
	for _, path := range []string{"/v1/queues", "/v1/agents", "/v1/receivers", "/v1/deliveries"} {
		for _, c := range within {
			status := http.StatusOK
			if c.role == interaction.RoleAgent {
				status = http.StatusForbidden
			}
			a := c.must(t, status, http.MethodGet, path, "")
			require.NotContains(t, string(a.Raw), "umbrella", path)
		}
		elsewhere.must(t, http.StatusForbidden, http.MethodGet, path+"?contact_center=acme", "")
	}
}
