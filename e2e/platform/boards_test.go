package platform_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The contact center of these tests has interactions of no other test.
const (
	watched     = "platform watched"
	watcher     = "supervisor:sue watched"
	watchedAnn  = "agent:ann watched"
	watchedByAd = "admin:root watched"
)

// rows returns a list of an answer, which must be a 200, by the name of each row.
func rows(t *testing.T, caller, path, list, name string) map[string]map[string]any {
	t.Helper()
	a := get(t, caller, path)
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	found := map[string]map[string]any{}
	for _, row := range a.Body[list].([]any) {
		found[row.(map[string]any)[name].(string)] = row.(map[string]any)
	}
	return found
}

func TestQueuesAndAgentsAreOfTheContactCenter(t *testing.T) {
	for i, commands := range []string{
		`{"command":"place_in_queue","queue":"sales"}`,
		`{"command":"place_in_queue","queue":"sales"},{"command":"offer","agent":{"id":"ann","name":"Ann"}}`,
		`{"command":"place_in_queue","queue":"support"},{"command":"accept","agent":"bob"}`,
	} {
		post(t, http.StatusCreated, watched, "/v1/interactions", fmt.Sprintf(`{"id":"watched-%d","channel":"chat","commands":[%s]}`, i, commands))
	}
	require.Eventually(t, func() bool {
		queues := rows(t, watcher, "/v1/queues", "queues", "name")
		return queues["sales"]["waiting"] == 1.0 && queues["sales"]["offered"] == 1.0 && queues["support"]["handling"] == 1.0 &&
			queues["support"]["service_level"] == 1.0
	}, patience, pollEvery)
	agents := rows(t, watchedByAd, "/v1/agents", "agents", "id")
	require.Len(t, agents, 2)
	require.Equal(t, "Ann", agents["ann"]["name"])
	require.Equal(t, "offered", agents["ann"]["state"])
	require.NotEmpty(t, agents["ann"]["since"])
	leg := agents["bob"]["interactions"].([]any)[0].(map[string]any)
	require.Equal(t, "watched-2", leg["id"])
	require.Equal(t, "handling", leg["state"])
	require.Equal(t, "owner", leg["role"])

	queues := rows(t, elsewhere, "/v1/queues", "queues", "name")
	require.Len(t, queues, 1, "the configured one")
	require.EqualValues(t, 0, queues["sales"]["waiting"])
	require.NotContains(t, queues["sales"], "service_level", "none has left it")
	require.Empty(t, rows(t, elsewhere, "/v1/agents", "agents", "id"))
}

func TestAgentsDoNotWatch(t *testing.T) {
	for _, path := range []string{"/v1/queues", "/v1/agents", "/v1/receivers", "/v1/deliveries"} {
		require.Equal(t, "not-permitted", get(t, watchedAnn, path).Problem(), path)
		require.Equal(t, "not-permitted", get(t, watched, path+"?contact_center=acme").Problem(), path)
		require.Equal(t, "unauthenticated", get(t, "", path).Problem(), path)
		require.Equal(t, "contact-center-required", get(t, "platform acme umbrella", path).Problem(), path)
		require.Equal(t, "invalid-payload", get(t, watched, path+"?nonsense=1").Problem(), path)
		for _, caller := range []string{watched, watcher, watchedByAd} {
			require.Equal(t, http.StatusOK, get(t, caller, path).Status, "%s %s", caller, path)
		}
	}
}

// deliveryIDs returns the deliveries of all pages of a list: interaction and status.
func deliveryIDs(t *testing.T, caller string, filters url.Values) []string {
	t.Helper()
	var ids []string
	for range 100 {
		a := get(t, caller, "/v1/deliveries?"+filters.Encode())
		require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
		for _, d := range a.Body["deliveries"].([]any) {
			delivery := d.(map[string]any)
			require.Equal(t, "listed", delivery["contact_center"])
			ids = append(ids, delivery["interaction"].(string)+" "+delivery["status"].(string))
		}
		next, more := a.Body["next"].(string)
		if !more {
			return ids
		}
		filters.Set("cursor", next)
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestDeliveriesAreListed(t *testing.T) {
	const caller = "platform listed"
	fails.Store(true)
	t.Cleanup(func() { fails.Store(false) })
	for i := range 3 {
		post(t, http.StatusCreated, caller, "/v1/interactions", fmt.Sprintf(`{"id":"listed-%d","channel":"inbound","commands":[{"command":"dtmf","digits":"1"}]}`, i))
	}
	want := []string{"listed-0 parked", "listed-1 parked", "listed-2 parked"}
	require.Eventually(t, func() bool { return len(deliveryIDs(t, caller, url.Values{"status": {"parked"}})) == 3 }, patience, pollEvery, "lists lag by a second")
	for _, filters := range []url.Values{
		{}, {"status": {"parked"}}, {"class": {"gone"}}, {"call": {"crm"}}, {"since": {"1h"}}, {"limit": {"1"}}, {"limit": {"2"}, "status": {"parked"}},
	} {
		require.ElementsMatch(t, want, deliveryIDs(t, caller, filters), "%v", filters)
	}
	for _, filters := range []url.Values{
		{"status": {"waiting"}}, {"status": {"attempting"}}, {"class": {"timeout"}}, {"call": {"erp"}}, {"since": {"2100-01-01T00:00:00Z"}}, {"status": {"discarded"}},
	} {
		require.Empty(t, deliveryIDs(t, caller, filters), "%v", filters)
	}
	for _, wrong := range []string{"status=lost", "limit=0", "limit=1001", "since=yesterday", "call=%22", "cursor=AAAA"} {
		a := get(t, caller, "/v1/deliveries?"+wrong)
		require.Contains(t, []string{"invalid-payload", "malformed"}, a.Problem(), wrong)
	}

	next := get(t, caller, "/v1/deliveries?limit=1").Body["next"].(string)
	require.Equal(t, http.StatusOK, get(t, caller, "/v1/deliveries?limit=2&cursor="+next).Status)
	for _, other := range []string{"/v1/deliveries?status=parked&cursor=" + next, "/v1/interactions?cursor=" + next} {
		require.Equal(t, "malformed", get(t, caller, other).Problem(), "the cursor is of another list: %s", other)
	}
	require.Equal(t, "malformed", get(t, "admin:root listed", "/v1/deliveries?cursor="+next).Problem(), "the cursor is of another caller")
	require.Empty(t, get(t, elsewhere, "/v1/deliveries").Body["deliveries"])

	require.Eventually(t, func() bool {
		crm := rows(t, caller, "/v1/receivers", "receivers", "call")["crm"]
		return crm["parked"] == 3.0 && crm["waiting"] == 0.0 && crm["state"] == "healthy"
	}, patience, pollEvery, "a 410 is no failure of the receiver")
	require.Eventually(t, func() bool {
		return rows(t, elsewhere, "/v1/receivers", "receivers", "call")["crm"]["parked"] == 0.0
	}, patience, pollEvery, "an answer does not wait for a long count")

	id := get(t, caller, "/v1/deliveries?limit=1").Body["deliveries"].([]any)[0].(map[string]any)
	post(t, http.StatusAccepted, caller, fmt.Sprintf("/v1/interactions/%s/deliveries/%s/discard", id["interaction"], id["id"]), ``)
	require.Eventually(t, func() bool {
		return len(deliveryIDs(t, caller, url.Values{"status": {"discarded"}})) == 1 && len(deliveryIDs(t, caller, url.Values{})) == 2
	}, patience, pollEvery)
}
