package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// inUmbrella returns a caller of the contact center umbrella, who authenticates with a JWT.
func inUmbrella(role interaction.Role, name string) caller {
	token := sign("RS256", issuer.key(), issuer.claims(map[string]any{"sub": name, "role": role, "contact_centers": "umbrella"}), nil)
	return caller{name: name, role: role, centers: "umbrella", token: token}
}

// TestListsHaveWhatTheCallerMaySee starts an interaction in each situation. The list of each caller must
// have those that the state machine says, with the caller's capabilities.
func TestListsHaveWhatTheCallerMaySee(t *testing.T) {
	for _, s := range situations {
		require.NoError(t, s.beginAs(elsewhere, "listed-"+s.name))
	}
	callers := []caller{elsewhere, inUmbrella(interaction.RoleAdmin, "root"), inUmbrella(interaction.RoleSupervisor, "sue")}
	for _, name := range []string{"ann", "bob", "carl"} {
		callers = append(callers, inUmbrella(interaction.RoleAgent, name))
	}
	for _, c := range callers {
		t.Run(string(c.role)+" "+c.name, func(t *testing.T) {
			want := openOf(t, c)
			require.EventuallyWithT(t, func(collect *assertCollect) {
				require.Equal(collect, want, listedBy(t, c, "open=true&fields=*&limit=7"))
			}, patience, pollEvery)
			for _, state := range interaction.States() {
				if state == interaction.StateCompleted {
					continue
				}
				in := map[string][]string{}
				for id, capabilities := range want {
					if stateOf(id) == state {
						in[id] = capabilities
					}
				}
				require.Equal(t, in, listedBy(t, c, "fields=*&state="+string(state)), state)
			}
		})
	}
}

// openOf returns the open interactions that the caller's list has, and their capabilities.
func openOf(t *testing.T, c caller) map[string][]string {
	t.Helper()
	want := map[string][]string{}
	for _, s := range situations {
		twin, err := s.twin("listed-" + s.name)
		require.NoError(t, err)
		if !twin.Completed() && (c.role != interaction.RoleAgent || slices.Contains(twin.Present(), c.name)) {
			want["listed-"+s.name] = capabilitiesOf(twin, c)
		}
	}
	return want
}

func stateOf(id string) interaction.State {
	for _, s := range situations {
		if "listed-"+s.name == id {
			return s.state
		}
	}
	return ""
}

// listedBy returns the ids and the capabilities of a list, over its pages.
func listedBy(t *testing.T, c caller, filters string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for cursor := ""; ; {
		a := c.must(t, http.StatusOK, http.MethodGet, "/v1/interactions?"+filters+"&cursor="+url.QueryEscape(cursor), "")
		for _, item := range a.Body["interactions"].([]any) {
			state := item.(map[string]any)
			if id := state["id"].(string); strings.HasPrefix(id, "listed-") {
				found[id] = textsOf(state, "capabilities")
			}
		}
		next, more := a.Body["next"].(string)
		if !more {
			return found
		}
		cursor = next
	}
}

func TestReadsByRoleAndContactCenter(t *testing.T) {
	s := situations[slices.IndexFunc(situations, func(s situation) bool { return s.name == "handling" })]
	require.NoError(t, s.begin("read"))
	twin, err := s.twin("read")
	require.NoError(t, err)
	for _, c := range within {
		a := c.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/read/timeline", "")
		require.Equal(t, len(twin.Timeline()), strings.Count(string(a.Raw), `"start"`), c.name)
		for _, path := range []string{"/deliveries", "/rejected"} {
			if c.role == interaction.RoleAgent {
				require.Equal(t, "not-permitted", c.must(t, 403, http.MethodGet, "/v1/interactions/read"+path, "").Problem())
				continue
			}
			require.JSONEq(t, `[]`, string(c.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/read"+path, "").Raw))
		}
		first := c.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/read", "")
		etag := first.Header.Get("ETag")
		same := c.must(t, http.StatusNotModified, http.MethodGet, "/v1/interactions/read", "", "If-None-Match", etag)
		require.Empty(t, same.Raw)
		for _, other := range within {
			status := http.StatusOK
			if slices.Equal(capabilitiesOf(twin, c), capabilitiesOf(twin, other)) {
				status = http.StatusNotModified
			}
			other.must(t, status, http.MethodGet, "/v1/interactions/read", "", "If-None-Match", etag)
		}
	}
}

// TestAForeignInteractionIsLikeNone compares the whole answers: nothing in them, and no time that they
// take, may show that an interaction of another contact center exists.
func TestAForeignInteractionIsLikeNone(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"foreign","channel":"inbound","user_data":{"card":"4111"}}`)
	for _, o := range operations(t) {
		if !strings.Contains(o.path, "{id}") {
			continue
		}
		foreign := func(c caller, id, center string) answer {
			path := strings.NewReplacer("{id}", id, "{delivery}", "msg_1").Replace(o.path)
			a, err := c.send(o.method, "/v1"+path, o.body, "Segue-Contact-Center", center, "Idempotency-Key", "k")
			require.NoError(t, err)
			return a
		}
		missing := foreign(elsewhere, "none", "umbrella")
		require.Equal(t, http.StatusNotFound, missing.Status, "%s %s: %s", o.method, o.path, missing.Raw)
		for _, id := range []string{"foreign", "none"} {
			a := foreign(elsewhere, id, "acme")
			require.Equal(t, missing.Status, a.Status, "%s %s", o.method, o.path)
			require.Equal(t, string(missing.Raw), string(a.Raw), "%s %s", o.method, o.path)
		}
	}
}

// An array whose commands name another contact center than the request must not reach it.
func TestElementsOfAnArrayStayInTheContactCenter(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"array","channel":"inbound"}`)
	elsewhere.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"array","channel":"inbound"}`)
	before := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/array", "").Body["revision"]
	for _, body := range []string{
		`[{"command":"place_in_queue","queue":"q","contact_center":"acme","id":"array"}]`,
		`[{"command":"place_in_queue","queue":"q","Segue-Contact-Center":"acme"}]`,
	} {
		elsewhere.must(t, http.StatusOK, http.MethodPost, "/v1/interactions/array/commands", body)
		elsewhere.must(t, http.StatusNotFound, http.MethodPost, "/v1/interactions/array/commands?contact_center=acme", body)
	}
	require.Equal(t, before, thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/array", "").Body["revision"])
}

// A request that names its contact center twice, or its key, is read by nobody as its sender meant it.
func TestWhatIsGivenTwiceIsMalformed(t *testing.T) {
	anywhere.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"twice","channel":"inbound"}`, "Segue-Contact-Center", "acme")
	for path, headers := range map[string][]string{
		"/v1/interactions/twice": {"Segue-Contact-Center", "acme", "Segue-Contact-Center", "umbrella"},
		"/v1/interactions/twice?contact_center=acme&contact_center=umbrella": nil,
		"/v1/interactions?contact_center=acme&contact_center=acme":           nil,
		"/v1/interactions?contact_center=acme":                               {"Idempotency-Key", "a", "Idempotency-Key", "b"},
	} {
		require.Equal(t, "malformed", anywhere.must(t, http.StatusBadRequest, http.MethodGet, path, "", headers...).Problem(), path)
	}
	for _, path := range []string{"/v1/interactions/twice?contact_center=umbrella", "/v1/interactions?contact_center=umbrella"} {
		anywhere.must(t, http.StatusBadRequest, http.MethodGet, path, "", "Segue-Contact-Center", "acme")
	}
}

// A key is of one interaction: it says nothing about those of others.
func TestKeysOfContactCentersAreSeparate(t *testing.T) {
	const key = "the-same-key"
	ours := thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", key)
	theirs := elsewhere.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", key)
	require.NotEqual(t, ours.Body["id"], theirs.Body["id"])
	again := elsewhere.must(t, http.StatusOK, http.MethodPost, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", key)
	require.Equal(t, theirs.Body["id"], again.Body["id"])
	for _, c := range []caller{thePlatform, elsewhere} {
		for range 2 {
			id := map[caller]any{thePlatform: ours.Body["id"], elsewhere: theirs.Body["id"]}[c]
			c.must(t, http.StatusOK, http.MethodPost, fmt.Sprintf("/v1/interactions/%s/commands/place_in_queue", id), `{"queue":"q"}`, "Idempotency-Key", "k2")
		}
	}
}

// A cursor is of one list of one caller.
func TestACursorOfAnotherIsNoCursor(t *testing.T) {
	for i := range 3 {
		thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", fmt.Sprintf(`{"id":"paged-%d","channel":"sms"}`, i))
	}
	var cursor string
	require.Eventually(t, func() bool {
		a := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions?channel=sms&open=true&limit=1", "")
		cursor, _ = a.Body["next"].(string)
		return cursor != ""
	}, patience, pollEvery)
	list := "/v1/interactions?channel=sms&open=true&limit=1&cursor="
	thePlatform.must(t, http.StatusOK, http.MethodGet, list+cursor, "")
	for _, c := range []caller{theAdmin, theSupervisor, ann, elsewhere, anywhere} {
		a := c.must(t, http.StatusBadRequest, http.MethodGet, list+cursor, "", "Segue-Contact-Center", c.own())
		require.Equal(t, "malformed", a.Problem(), c.name)
	}
	changed := []byte(cursor)
	for i := 0; i < len(changed)-1; i += 7 { // the last letter has bits that say nothing
		changed[i] ^= 1
		thePlatform.must(t, http.StatusBadRequest, http.MethodGet, list+url.QueryEscape(string(changed)), "")
		changed[i] ^= 1
	}
}

// own is the contact center that a caller names.
func (c caller) own() string {
	if c.centers == "*" {
		return "acme"
	}
	return c.centers
}

// The time of an answer about a foreign interaction must not depend on whether it exists. A busy machine may disturb a
// measurement; if the time depended on that, every measurement would show it.
func TestForeignInteractionsTakeAsLongAsNone(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"timed","channel":"inbound"}`)
	differs := time.Duration(0)
	for range 20 {
		if differs = timedAndUntimed(t); differs.Abs() <= 2*time.Millisecond {
			return
		}
	}
	require.Fail(t, "the times differ", "%s", differs)
}

// timedAndUntimed measures how much longer an answer takes about a foreign interaction that exists.
func timedAndUntimed(t *testing.T) time.Duration {
	t.Helper()
	took := map[string][]time.Duration{}
	for range 100 {
		for _, id := range []string{"timed", "untimed"} {
			begun := time.Now()
			elsewhere.must(t, http.StatusNotFound, http.MethodGet, "/v1/interactions/"+id, "", "Segue-Contact-Center", "acme")
			took[id] = append(took[id], time.Since(begun))
		}
	}
	median := func(id string) time.Duration {
		slices.Sort(took[id])
		return took[id][len(took[id])/2]
	}
	return median("timed") - median("untimed")
}
