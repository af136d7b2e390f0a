package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// deliveriesOf returns the deliveries of an interaction.
func deliveriesOf(t *testing.T, id string) []map[string]any {
	t.Helper()
	a := get(t, thePlatform, "/v1/interactions/"+id+"/deliveries")
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(a.Raw, &list))
	return list
}

// parked starts an interaction with a parked delivery and returns the delivery's id.
func parked(t *testing.T, id string) string {
	t.Helper()
	started(t, id)
	fails.Store(true)
	t.Cleanup(func() { fails.Store(false) })
	post(t, http.StatusOK, thePlatform, "/v1/interactions/"+id+"/commands/dtmf", `{"digits":"1"}`)
	return becomes(t, id, "parked")
}

// becomes waits until the only delivery of an interaction has a status, and returns its id.
func becomes(t *testing.T, id, status string) string {
	t.Helper()
	found := ""
	require.Eventually(t, func() bool {
		list := deliveriesOf(t, id)
		if len(list) == 1 && list[0]["status"] == status {
			found = list[0]["id"].(string)
		}
		return found != ""
	}, patience, pollEvery)
	return found
}

func TestAParkedDeliveryIsSentAgain(t *testing.T) {
	delivery := parked(t, "redelivered")
	path := "/v1/interactions/redelivered/deliveries/" + delivery
	for _, caller := range []string{theSupervisor, ann} {
		require.Equal(t, "not-permitted", post(t, 403, caller, path+"/redeliver", ``).Problem())
	}
	require.Equal(t, "not-found", post(t, 404, thePlatform, "/v1/interactions/redelivered/deliveries/msg_other/redeliver", ``).Problem())
	require.Equal(t, "invalid-payload", post(t, 422, thePlatform, path+"/redeliver", `{"rerender":"yes"}`).Problem())
	require.Equal(t, "invalid-payload", post(t, 422, thePlatform, path+"/redeliver", `{"rerende":true}`).Problem())
	fails.Store(false)
	a := post(t, http.StatusAccepted, theAdmin, path+"/redeliver", `{"rerender":true}`)
	require.Equal(t, delivery, a.Body["delivery"])
	becomes(t, "redelivered", "delivered")
	require.Equal(t, "not-parked", post(t, 409, thePlatform, path+"/redeliver", ``).Problem())
	require.Equal(t, "not-parked", post(t, 409, thePlatform, path+"/discard", ``).Problem())
}

func TestAParkedDeliveryIsDiscarded(t *testing.T) {
	delivery := parked(t, "discarded")
	post(t, http.StatusAccepted, thePlatform, "/v1/interactions/discarded/deliveries/"+delivery+"/discard", ``)
	becomes(t, "discarded", "discarded")
}

// A delivery is read with its request and the response, by those who read deliveries.
func TestADeliveryIsReadWithItsRequest(t *testing.T) {
	delivery := parked(t, "detailed")
	path := "/v1/interactions/detailed/deliveries/" + delivery
	for _, caller := range []string{thePlatform, theAdmin, theSupervisor} {
		a := get(t, caller, path)
		require.Equal(t, http.StatusOK, a.Status, "%s", a.Raw)
		require.Equal(t, "parked", a.Body["status"])
		request, response := a.Body["request"].(map[string]any), a.Body["response"].(map[string]any)
		require.Equal(t, "POST", request["method"])
		require.Contains(t, request["url"], "http://127.0.0.1:")
		require.Contains(t, fmt.Sprint(request["headers"]), delivery, "webhook-id")
		require.Equal(t, float64(len(request["body"].(string))), request["body_bytes"])
		require.Equal(t, a.Body["class"], response["class"])
		require.NotContains(t, a.Body, "request_not_kept")
	}
	require.Equal(t, "not-permitted", get(t, ann, path).Problem())
	require.Equal(t, "not-found", get(t, elsewhere, path).Problem())
	require.Equal(t, "not-found", get(t, thePlatform, "/v1/interactions/detailed/deliveries/msg_other").Problem())
	post(t, http.StatusAccepted, thePlatform, path+"/discard", ``) // others count what is parked
	becomes(t, "detailed", "discarded")
}

func TestManyDeliveriesAreSentAgain(t *testing.T) {
	for i := range 3 {
		parked(t, fmt.Sprintf("bulk-%d", i))
	}
	path := "/v1/deliveries/redeliver"
	for body, status := range map[string]int{
		`{"limit":0}`: 422, `{"limit":10001}`: 422, `{"rate":-1}`: 422, `{"clas":"x"}`: 422, `{"since":"yesterday"}`: 422, `[]`: 400, `{"call":7}`: 422,
	} {
		post(t, status, thePlatform, path, body)
	}
	require.Equal(t, "not-permitted", post(t, 403, theSupervisor, path, ``).Problem())
	require.EqualValues(t, 0, post(t, 200, elsewhere, path, `{"dry_run":true}`).Body["matched"])
	require.EqualValues(t, 0, post(t, 200, thePlatform, path, `{"class":"timeout","dry_run":true}`).Body["matched"])
	require.Eventually(t, func() bool {
		return post(t, 200, thePlatform, path, `{"dry_run":true,"call":"crm","since":"1h"}`).Body["matched"] == 3.0
	}, patience, pollEvery, "lists lag by a second")
	require.EqualValues(t, 3, post(t, 200, thePlatform, path, `{"dry_run":true,"limit":null}`).Body["matched"])
	limited := post(t, 200, thePlatform, path, `{"dry_run":true,"limit":2}`)
	require.EqualValues(t, 2, limited.Body["matched"])
	require.Equal(t, true, limited.Body["more"])
	fails.Store(false)
	sent := post(t, 200, thePlatform, path, `{"call":"crm"}`)
	require.EqualValues(t, 3, sent.Body["sent"], "%s", sent.Raw)
	require.Equal(t, false, sent.Body["more"])
	for i := range 3 {
		becomes(t, fmt.Sprintf("bulk-%d", i), "delivered")
	}
	require.Eventually(t, func() bool {
		return post(t, 200, thePlatform, path, `{"call":"crm"}`).Body["sent"] == 0.0
	}, patience, pollEvery, "again is safe")
}

func TestASlowRateLeavesMore(t *testing.T) {
	for i := range 2 {
		parked(t, fmt.Sprintf("slow-%d", i))
	}
	require.Eventually(t, func() bool {
		return post(t, 200, thePlatform, "/v1/deliveries/redeliver", `{"dry_run":true}`).Body["matched"] == 2.0
	}, patience, pollEvery)
	fails.Store(false)
	a := post(t, 200, thePlatform, "/v1/deliveries/redeliver", `{"rate":0.01}`)
	require.EqualValues(t, 1, a.Body["sent"], "%s", a.Raw)
	require.EqualValues(t, 0, a.Body["failed"], "%s", a.Raw)
	require.Equal(t, true, a.Body["more"])
	post(t, 200, thePlatform, "/v1/deliveries/redeliver", ``)
}
