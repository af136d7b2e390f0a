package platform_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
)

func TestWithoutAWorkerTheOutcomeIsOpen(t *testing.T) {
	nobody := httptest.NewServer(authenticated(apiOf(&client.Client{Temporal: segue.Client.Temporal, TaskQueue: "nobody"}, time.Second)))
	defer nobody.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, nobody.URL+"/v1/interactions", strings.NewReader(`{"id":"open-outcome","channel":"inbound"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Caller", thePlatform)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Retry-After"))
	require.NotEmpty(t, response.Header.Get("Idempotency-Key"))
	require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
}

func nameOf(id string) client.Name { return client.Name{ContactCenter: "acme", ID: id} }

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/v2/interactions", "/v1/interactions/", "/v1//interactions", "/v1/interactions/a/../b"} {
		a := get(t, thePlatform, path)
		require.Equal(t, http.StatusNotFound, a.Status, path)
		require.Equal(t, "not-found", a.Problem(), path)
	}
	for method, path := range map[string]string{
		http.MethodPut: "/v1/interactions", http.MethodDelete: "/v1/interactions/a", http.MethodGet: "/v1/interactions/a/commands/hold", http.MethodPatch: "/v1/session",
	} {
		a := send(t, thePlatform, method, path, "")
		require.Equal(t, http.StatusMethodNotAllowed, a.Status, path)
		require.Equal(t, "method-not-allowed", a.Problem())
		require.NotEmpty(t, a.Header.Get("Allow"), path)
	}
}

func TestARequestWithoutACallerIsRefused(t *testing.T) {
	for _, path := range []string{"/v1/interactions", "/v1/interactions/a", "/v1/interactions/a/timeline"} {
		require.Equal(t, "unauthenticated", get(t, "", path).Problem(), path)
	}
	require.Equal(t, http.StatusOK, get(t, "", "/v1/openapi.json").Status, "the document needs no credential")
}

func TestContactCentersDoNotSeeEachOther(t *testing.T) {
	started(t, "ours")
	for _, path := range []string{"", "/timeline", "/deliveries", "/rejected"} {
		a := get(t, elsewhere, "/v1/interactions/ours"+path)
		require.Equal(t, http.StatusNotFound, a.Status, path)
		require.Equal(t, "not-found", a.Problem())
		a = send(t, elsewhere, http.MethodGet, "/v1/interactions/ours"+path, "", "Segue-Contact-Center", "acme")
		require.Equal(t, http.StatusNotFound, a.Status, path)
	}
	for path, body := range map[string]string{"/commands/place_in_queue": `{"queue":"x"}`, "/deliveries/msg_1/redeliver": ``, "/deliveries/msg_1/discard": ``} {
		post(t, http.StatusNotFound, elsewhere, "/v1/interactions/ours"+path, body, "Segue-Contact-Center", "acme")
	}
	post(t, http.StatusNotFound, elsewhere, "/v1/interactions/ours/deliveries/msg_1/redeliver", `{"contact_center":"acme"}`)
	post(t, http.StatusNotFound, elsewhere, "/v1/interactions/ours/commands/place_in_queue", `{"queue":"x","contact_center":"acme"}`)
	post(t, http.StatusOK, "platform acme umbrella", "/v1/interactions/ours/commands/place_in_queue", `{"queue":"x","contact_center":"acme"}`)
	require.Equal(t, "not-permitted", get(t, elsewhere, "/v1/interactions?contact_center=acme").Problem())
	require.Equal(t, "not-permitted", post(t, 403, elsewhere, "/v1/interactions", `{"channel":"inbound","contact_center":"acme"}`).Problem())
	require.Equal(t, "not-permitted", post(t, 403, elsewhere, "/v1/deliveries/redeliver", `{"contact_center":"acme"}`).Problem())
	require.Equal(t, "contact-center-required", get(t, "platform acme umbrella", "/v1/interactions").Problem())
	require.Equal(t, "malformed", send(t, "platform acme umbrella", http.MethodGet, "/v1/interactions?contact_center=acme", "", "Segue-Contact-Center", "umbrella").Problem())
	require.Equal(t, "malformed", send(t, "platform acme umbrella", http.MethodGet, "/v1/interactions", "", "Segue-Contact-Center", "umbrella", "ContactCenterId", "acme").Problem())
	for _, path := range []string{"/v1/interactions/ours", "/v1/interactions?limit=1", "/v1/queues"} {
		require.Equal(t, http.StatusOK, send(t, "platform acme umbrella", http.MethodGet, path, "", "ContactCenterId", "acme").Status, path)
		require.Equal(t, http.StatusOK, send(t, "platform acme umbrella", http.MethodGet, path, "", "ContactCenterId", "acme", "Segue-Contact-Center", "acme").Status, path)
	}
}

func TestSessions(t *testing.T) {
	begun := post(t, http.StatusOK, ann, "/v1/session", ``)
	require.Contains(t, begun.Header.Get("Set-Cookie"), "segue_session=sealed")
	require.Equal(t, "token", begun.Header.Get("X-CSRF-TOKEN"))
	require.Equal(t, map[string]any{"role": "agent", "user": "ann", "agent": "ann", "contact_centers": []any{"acme"}}, begun.Body)
	ended := send(t, ann, http.MethodDelete, "/v1/session", "")
	require.Equal(t, http.StatusNoContent, ended.Status)
	require.Contains(t, ended.Header.Get("Set-Cookie"), "segue_session=;")
}
