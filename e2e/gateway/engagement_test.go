package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhoMayEngage sends the requests of a strategy with each credential.
func TestWhoMayEngage(t *testing.T) {
	for name, test := range map[string]struct {
		by      caller
		headers []string
		want    int
		code    string
	}{
		"nobody":               {nobody, nil, 401, "unauthenticated"},
		"a wrong key":          {nobody, []string{"X-API-Key", "guess"}, 401, "unauthenticated"},
		"an agent":             {ann, nil, 403, "not-permitted"},
		"the supervisor":       {theSupervisor, nil, 403, "not-permitted"},
		"the admin":            {theAdmin, nil, 403, "not-permitted"},
		"elsewhere":            {elsewhere, []string{"Segue-Contact-Center", "acme"}, 400, "not-found"},
		"of all, without one":  {anywhere, nil, 400, "contact-center-required"},
		"two contact centers":  {anywhere, []string{"Segue-Contact-Center", "acme", "ContactCenterId", "umbrella"}, 400, "malformed"},
		"the platform":         {thePlatform, nil, 200, ""},
		"of all, with one":     {anywhere, []string{"ContactCenterId", "acme"}, 200, ""},
		"the platform, by key": {thePlatform, []string{"Idempotency-Key", "k"}, 200, ""},
	} {
		for _, path := range []string{"/backend/data/gateway/noengage", "/server/data/gateway/engage"} {
			parameter := map[bool]string{true: "cancelData", false: "ixnProfile"}[path == "/backend/data/gateway/noengage"]
			a, err := test.by.send(http.MethodPost, path, `{"`+parameter+`":{"visitID":"who-may-engage"}}`, test.headers...)
			require.NoError(t, err)
			require.Equal(t, test.want, a.Status, "%s %s: %s", name, path, a.Raw)
			require.Equal(t, "application/json", a.Header.Get("Content-Type"))
			if test.want == 200 {
				require.Equal(t, "OK", a.Body["status"])
				continue
			}
			require.Equal(t, []any{"FAULT", test.code}, []any{a.Body["status"], a.Body["code"]}, "%s: %s", name, a.Raw)
		}
	}
}

// TestAVisitorsTokenIsNoOther tries the tokens of visitors where they are none, and the credentials of others on
// the paths of visitors.
func TestAVisitorsTokenIsNoOther(t *testing.T) {
	const stream = "/server/data/notification/"
	for _, by := range []caller{nobody, ann, theSupervisor, theAdmin} {
		a, err := by.send(http.MethodPost, "/v1/visits/mine/token", "")
		require.NoError(t, err)
		require.Equal(t, map[bool]int{true: 401, false: 403}[by == nobody], a.Status, "%s: %s", by.name, a.Raw)
	}
	for _, visit := range []string{"%C3%A4", "a%20b", strings.Repeat("v", 123)} { // no page can be of such a visit
		thePlatform.must(t, http.StatusUnprocessableEntity, http.MethodPost, "/v1/visits/"+visit+"/token", "")
	}
	token, _ := thePlatform.must(t, http.StatusOK, http.MethodPost, "/v1/visits/mine/token", "").Body["token"].(string)
	for path, want := range map[string]int{
		stream + "mine": 401, stream + "mine?token=" + token + "x": 401, stream + "other?token=" + token: 403,
		stream + "mine?contact_center=umbrella&token=" + token: 403,
		"/server/data/gateway/disposition?token=" + token:      401,
		"/server/data/gateway/disposition":                     401,
	} {
		for _, by := range []caller{nobody, thePlatform} { // another credential changes nothing
			a, err := by.send(http.MethodGet, path, "")
			require.NoError(t, err)
			require.Equal(t, want, a.Status, "%s: %s", path, a.Raw)
			require.Equal(t, "FAULT", a.Body["status"])
		}
	}
	for _, path := range []string{"/v1/interactions", "/api/v2/me"} {
		a, err := nobody.send(http.MethodGet, path, "", "Authorization", "Bearer "+token)
		require.NoError(t, err)
		require.Equal(t, 401, a.Status)
	}
	a, err := nobody.send(http.MethodPost, "/server/cometd", "[]", "Origin", "https://app.example.com")
	require.NoError(t, err)
	require.Equal(t, 403, a.Status, "gateway.cors is not of visitors")
}
