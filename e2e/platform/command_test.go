package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStartMakesAnIDFromItsKey(t *testing.T) {
	first := post(t, http.StatusCreated, thePlatform, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", "start-1")
	id := first.Body["id"].(string)
	require.Equal(t, "/v1/interactions/"+id, first.Header.Get("Location"))
	require.Equal(t, "start-1", first.Header.Get("Idempotency-Key"))
	require.Equal(t, "started", first.Body["answer"].(map[string]any)["state"])
	again := post(t, http.StatusOK, thePlatform, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", "start-1")
	require.Equal(t, id, again.Body["id"])
	require.Equal(t, true, again.Body["duplicate"])
	other := post(t, http.StatusCreated, elsewhere, "/v1/interactions", `{"channel":"inbound"}`, "Idempotency-Key", "start-1")
	require.NotEqual(t, id, other.Body["id"], "of another contact center")
	made := post(t, http.StatusCreated, thePlatform, "/v1/interactions", `{"channel":"inbound"}`)
	require.NotEmpty(t, made.Header.Get("Idempotency-Key"))
}

func TestAStartAppliesItsFirstCommands(t *testing.T) {
	a := post(t, http.StatusCreated, thePlatform, "/v1/interactions",
		`{"id":"first","channel":"inbound","commands":[{"command":"place_in_queue","queue":"sales"},{"command":"hold"},{"command":"nonsense"},
		{"command":"offer","agent":{"id":"ann"}}]}`, "Idempotency-Key", "first")
	require.Equal(t, "offered", a.Body["answer"].(map[string]any)["state"], "%s", a.Raw)
	results := a.Body["results"].([]any)
	require.Len(t, results, 4)
	require.Equal(t, "queued", results[0].(map[string]any)["state"])
	require.Equal(t, "urn:segue:illegal-command", results[1].(map[string]any)["error"].(map[string]any)["type"])
	require.Equal(t, "urn:segue:unknown-command", results[2].(map[string]any)["error"].(map[string]any)["type"])
	require.Equal(t, "offered", results[3].(map[string]any)["state"])
	taken := post(t, http.StatusConflict, thePlatform, "/v1/interactions", `{"id":"first","channel":"inbound"}`)
	require.Equal(t, "already-exists", taken.Problem())
}

func TestACommandIsAppliedOnce(t *testing.T) {
	started(t, "once")
	path := "/v1/interactions/once/commands/place_in_queue"
	first := post(t, http.StatusOK, thePlatform, path, `{"queue":"sales"}`, "Idempotency-Key", "k-1")
	require.Equal(t, "queued", first.Body["state"])
	require.Equal(t, "k-1", first.Header.Get("Idempotency-Key"))
	require.NotContains(t, first.Body, "duplicate")
	post(t, http.StatusOK, thePlatform, path, `{"queue":"support"}`)
	again := post(t, http.StatusOK, thePlatform, path, `{"queue":"sales"}`, "Idempotency-Key", "k-1")
	require.Equal(t, true, again.Body["duplicate"])
	byEventID := post(t, http.StatusOK, thePlatform, path, `{"queue":"sales","event_id":"k-1"}`)
	require.Equal(t, true, byEventID.Body["duplicate"])
	require.Equal(t, "k-1", byEventID.Header.Get("Idempotency-Key"))
	differ := post(t, http.StatusBadRequest, thePlatform, path, `{"queue":"sales","event_id":"k-2"}`, "Idempotency-Key", "k-1")
	require.Equal(t, "malformed", differ.Problem())
	require.NotEmpty(t, differ.Header.Get("Idempotency-Key"))
}

func TestARefusalSaysWhatIsLegal(t *testing.T) {
	started(t, "refused")
	a := post(t, http.StatusConflict, thePlatform, "/v1/interactions/refused/commands/hold", ``, "Idempotency-Key", "h-1")
	require.Equal(t, "illegal-command", a.Problem())
	require.Equal(t, "hold", a.Body["command"])
	require.Equal(t, "started", a.Body["state"])
	require.Contains(t, a.Body["legal"], "place_in_queue")
	require.Equal(t, "h-1", a.Header.Get("Idempotency-Key"))
	missing := post(t, http.StatusUnprocessableEntity, thePlatform, "/v1/interactions/refused/commands/place_in_queue", `{}`)
	require.Equal(t, "invalid-payload", missing.Problem())
	require.Equal(t, "/queue", missing.Body["errors"].([]any)[0].(map[string]any)["pointer"])
	unknown := post(t, http.StatusNotFound, thePlatform, "/v1/interactions/refused/commands/dance", `{}`)
	require.Equal(t, "unknown-command", unknown.Problem())
	require.Equal(t, "not-found", post(t, http.StatusNotFound, thePlatform, "/v1/interactions/absent/commands/hold", ``).Problem())
	post(t, http.StatusOK, thePlatform, "/v1/interactions/refused/commands/abandon", ``)
	ended := post(t, http.StatusConflict, thePlatform, "/v1/interactions/refused/commands/place_in_queue", `{"queue":"sales"}`)
	require.Contains(t, []string{"completed", "illegal-command"}, ended.Problem())
}

func TestAnArrayGoesOnAfterARefusal(t *testing.T) {
	started(t, "array")
	body := `[{"command":"place_in_queue","queue":"sales"},{"command":"hold"},{"queue":"x"},{"command":"offer","agent":"ann","event_id":"own"},{"command":"accept","agent":"ann"}]`
	a := post(t, http.StatusOK, thePlatform, "/v1/interactions/array/commands", body, "Idempotency-Key", "arr")
	require.Equal(t, "arr", a.Header.Get("Idempotency-Key"))
	var results []map[string]any
	require.NoError(t, json.Unmarshal(a.Raw, &results))
	require.Len(t, results, 5)
	require.Equal(t, "queued", results[0]["state"])
	require.Equal(t, "urn:segue:illegal-command", results[1]["error"].(map[string]any)["type"])
	require.Equal(t, "urn:segue:invalid-payload", results[2]["error"].(map[string]any)["type"])
	require.Equal(t, "handling", results[4]["state"])
	require.NoError(t, json.Unmarshal(post(t, http.StatusOK, thePlatform, "/v1/interactions/array/commands", body, "Idempotency-Key", "arr").Raw, &results))
	for _, i := range []int{0, 3, 4} {
		require.Equal(t, true, results[i]["duplicate"], i)
	}
	require.NotContains(t, results[1], "duplicate", "a refused command is not known, and is legal now")
	one := post(t, http.StatusOK, thePlatform, "/v1/interactions/array/commands/hold", ``, "Idempotency-Key", "arr#1")
	require.Equal(t, true, one.Body["duplicate"])
}

func TestOnlyThePlatformNamesAnyone(t *testing.T) {
	started(t, "by")
	queue := "/v1/interactions/by/commands/place_in_queue"
	post(t, http.StatusOK, thePlatform, queue, `{"queue":"sales","by":{"id":"zoe","role":"supervisor"}}`)
	post(t, http.StatusOK, theAdmin, queue, `{"queue":"support"}`)
	post(t, http.StatusOK, theSupervisor, queue, `{"queue":"sales","by":{"id":"sue","role":"supervisor"}}`)
	require.Equal(t, "not-permitted", post(t, http.StatusForbidden, theSupervisor, queue, `{"queue":"sales","by":{"id":"zoe"}}`).Problem())
	require.Equal(t, "not-permitted", post(t, http.StatusForbidden, ann, queue, `{"queue":"sales"}`).Problem())
	require.Equal(t, "not-permitted", post(t, http.StatusForbidden, theSupervisor, "/v1/interactions/by/commands/abandon", ``).Problem())
	for _, caller := range []string{theSupervisor, ann} {
		require.Equal(t, "not-permitted", post(t, http.StatusForbidden, caller, "/v1/interactions", `{"channel":"inbound"}`).Problem())
	}
	post(t, http.StatusOK, thePlatform, "/v1/interactions/by/commands/offer", `{"agent":"ann"}`)
	require.Equal(t, "not-permitted", post(t, http.StatusForbidden, bob, "/v1/interactions/by/commands/accept", ``).Problem())
	require.Equal(t, "handling", post(t, http.StatusOK, ann, "/v1/interactions/by/commands/accept", ``).Body["state"])
}

func TestANumberedCommandThatIsAheadWaits(t *testing.T) {
	post(t, http.StatusCreated, thePlatform, "/v1/interactions", `{"id":"ahead","channel":"inbound","source_sequence":1}`)
	ahead := post(t, http.StatusAccepted, thePlatform, "/v1/interactions/ahead/commands/offer", `{"agent":"ann","source_sequence":3}`)
	require.Equal(t, true, ahead.Body["waiting"])
	post(t, http.StatusOK, thePlatform, "/v1/interactions/ahead/commands/place_in_queue", `{"queue":"sales","source_sequence":2}`)
	require.Eventually(t, func() bool {
		state, err := segue.Client.State(t.Context(), nameOf("ahead"))
		return err == nil && state.State == "offered"
	}, patience, pollEvery)
}

func TestBodiesAreReadStrictly(t *testing.T) {
	started(t, "strict")
	path := "/v1/interactions/strict/commands/attach_user_data"
	for name, c := range map[string]struct {
		body, kind string
		status     int
		headers    []string
	}{
		"not JSON":     {`{"user_data"`, "malformed", 400, nil},
		"an array":     {`[]`, "malformed", 400, nil},
		"a text":       {`"x"`, "malformed", 400, nil},
		"twice a key":  {`{"user_data":{"a":1,"a":2}}`, "malformed", 400, nil},
		"data behind":  {`{"user_data":{}} {}`, "malformed", 400, nil},
		"no UTF-8":     {"{\"user_data\":{\"a\":\"\xff\"}}", "malformed", 400, nil},
		"too deep":     {`{"user_data":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5001), "malformed", 400, nil},
		"too large":    {`{"user_data":{"a":"` + strings.Repeat("x", 300<<10) + `"}}`, "too-large", 413, nil},
		"a form":       {`user_data=x`, "unsupported-media-type", 415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		"latin 1":      {`{"user_data":{}}`, "unsupported-media-type", 415, []string{"Content-Type", "application/json; charset=iso-8859-1"}},
		"compressed":   {`{"user_data":{}}`, "unsupported-media-type", 415, []string{"Content-Encoding", "gzip"}},
		"no object":    {`{"user_data":7}`, "invalid-payload", 422, nil},
		"a long key":   {`{"user_data":{"a":1}}`, "invalid-payload", 422, []string{"Idempotency-Key", strings.Repeat("k", 256)}},
		"event_id":     {`{"user_data":{"a":1},"event_id":7}`, "invalid-payload", 422, nil},
		"another case": {`{"User_data":{"a":1}}`, "invalid-payload", 422, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := post(t, c.status, thePlatform, path, c.body, c.headers...)
			require.Equal(t, c.kind, a.Problem(), "%s", a.Raw)
			require.NotEmpty(t, a.Header.Get("Idempotency-Key"))
		})
	}
	post(t, http.StatusOK, thePlatform, path, `{"user_data":{"account":12345678901234567890}}`, "Content-Type", "application/json; charset=UTF-8")
	state := get(t, thePlatform, "/v1/interactions/strict")
	require.Contains(t, string(state.Raw), `"account":12345678901234567890`)
}

// What the gateway adds to a payload does not count.
func TestAClientMaySendAllOfTheLimit(t *testing.T) {
	of := func(size int, begin, end string) string {
		return begin + strings.Repeat("x", size-len(begin)-len(end)) + end
	}
	const limit = 256 << 10
	key := []string{"Idempotency-Key", strings.Repeat("k", 250)}
	for _, caller := range []string{thePlatform, "supervisor:" + strings.Repeat("s", 120) + " acme"} {
		id := fmt.Sprintf("sized-%d", len(caller))
		started(t, id)
		path := "/v1/interactions/" + id + "/commands"
		post(t, 200, caller, path+"/attach_user_data", of(limit, `{"user_data":{"a":"b"},"x":"`, `"}`), key...)
		post(t, 413, caller, path+"/attach_user_data", of(limit+1, `{"user_data":{"a":"b"},"x":"`, `"}`), key...)
		elements := func(size int) string {
			return "[" + of(size, `{"command":"attach_user_data","user_data":{"b":"c"},"x":"`, `"}`) + "]"
		}
		require.NotContains(t, string(post(t, 200, caller, path, elements(limit)).Raw), "error")
		require.Contains(t, string(post(t, 200, caller, path, elements(limit+1)).Raw), "urn:segue:too-large")
		begin := `[` + strings.Repeat(`{"command":"attach_user_data","user_data":{"b":"c"},"x":"`+strings.Repeat("x", 250_000)+`"},`, 3) +
			strings.Repeat(`{"command":"set_attributes","comment":"d"},`, 990) + `{"command":"attach_user_data","user_data":{"b":"c"},"x":"`
		require.NotContains(t, string(post(t, 200, caller, path, of(1<<20, begin, `"}]`)).Raw), "error")
		post(t, 413, caller, path, of(1<<20+1, begin, `"}]`))
	}
	post(t, 201, thePlatform, "/v1/interactions", of(limit, `{"id":"sized-start","channel":"chat","x":"`, `"}`), key...)
	post(t, 413, thePlatform, "/v1/interactions", of(limit+1, `{"id":"sized-start-2","channel":"chat","x":"`, `"}`), key...)
}

func TestTheLongestKeyOfAnArrayCountsForAllOfIt(t *testing.T) {
	started(t, "keyed")
	path := "/v1/interactions/keyed/commands"
	array := "[" + strings.Repeat(`{"command":"attach_user_data","user_data":{"a":1}},`, 10) + `{"command":"attach_user_data","user_data":{"a":2}}]`
	before := get(t, thePlatform, "/v1/interactions/keyed").Body["revision"]
	post(t, 422, thePlatform, path, array, "Idempotency-Key", strings.Repeat("k", 253))
	require.Equal(t, before, get(t, thePlatform, "/v1/interactions/keyed").Body["revision"], "nothing was sent")
	require.NotContains(t, string(post(t, 200, thePlatform, path, array, "Idempotency-Key", strings.Repeat("k", 252)).Raw), "error")
	require.Equal(t, 11, strings.Count(string(post(t, 200, thePlatform, path, array, "Idempotency-Key", strings.Repeat("k", 252)).Raw), `"duplicate":true`))
}

func TestAnArrayIsBounded(t *testing.T) {
	started(t, "bounded")
	path := "/v1/interactions/bounded/commands"
	require.Equal(t, "too-large", post(t, 413, thePlatform, path, "["+strings.Repeat(`{"command":"hold"},`, 1000)+`{"command":"hold"}]`).Problem())
	require.Equal(t, "too-large", post(t, 413, thePlatform, path, `[{"command":"dtmf","digits":"`+strings.Repeat("1", 1<<20)+`"}]`).Problem())
	require.Equal(t, "invalid-payload", post(t, 422, thePlatform, path, `[]`).Problem())
	require.Equal(t, "malformed", post(t, 400, thePlatform, path, `[7]`).Problem())
	require.Equal(t, "malformed", post(t, 400, thePlatform, path, ``).Problem())
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"command":"attach_user_data","user_data":{"n":%d}}`, i)
	}
	var results []map[string]any
	require.NoError(t, json.Unmarshal(post(t, 200, thePlatform, path, "["+strings.Join(many, ",")+"]").Raw, &results))
	require.Len(t, results, 1000)
}
