package streams_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// play takes an interaction through a life with many moments.
func (c *center) play(id string) {
	c.Helper()
	c.start(id, "")
	c.command(id, "place_in_queue", `{"queue":"sales"}`)
	c.command(id, "offer", `{"agent":{"id":"ann","name":"Ann"}}`)
	c.command(id, "accept", `{"agent":{"id":"ann"}}`)
	c.command(id, "hold", `{}`)
	c.command(id, "retrieve", `{}`)
	c.command(id, "attach_user_data", `{"user_data":{"tier":"gold","note":"a\nb"}}`)
	c.command(id, "set_attributes", `{"comment":"calls back"}`)
	c.command(id, "transfer", `{"to":{"agent":"bob"}}`)
	c.command(id, "complete", `{}`)
}

func TestAStreamGoesOnAfterEachEventOnEitherReplica(t *testing.T) {
	c := newCenter(t)
	first := c.open(0, "supervisor", "", "")
	c.play("one")
	c.play("two")
	full := first.until("interaction_ends")
	full = append(full, first.until("interaction_ends")...)
	require.Greater(t, len(full), 30)
	seen := map[string]bool{}
	several := 0
	for i, e := range full {
		require.False(t, seen[e.id], "each id is there once")
		seen[e.id] = true
		if strings.HasSuffix(e.id, "-3") {
			several++
		}
		require.Equal(t, c.name, full[i].body(t)["contact_center"])
	}
	require.Positive(t, several, "some notices have several moments")
	require.Contains(t, names(full), "change", "and some have none")

	for i, e := range full {
		query, last := "", e.id
		if i%3 == 0 { // EventSource cannot set the header when it connects
			query, last = "?last_event_id="+e.id, ""
		}
		again := c.open(i%2, "supervisor", query, last)
		for _, want := range full[i+1:] {
			require.Equal(t, want, again.next(), "after event %d", i)
		}
		if i == len(full)-1 {
			c.start("three", "")
			require.Equal(t, "three", again.next().body(t)["interaction"])
		}
		again.close()
	}
}

func TestAStreamThatMovesBetweenReplicasHasNoGapAndNoRepeat(t *testing.T) {
	c := newCenter(t)
	whole := c.open(0, "admin", "", "")
	moving := c.open(1, "admin", "", "")
	require.Eventually(t, func() bool { return moving.lastID() != "" }, patience, time.Millisecond, "there is a place before the first event")
	last := moving.lastID()
	moving.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 5 {
			c.play(fmt.Sprint("i", i))
		}
	}()
	var got []event
	for i := 0; countOf(got, "interaction_ends") < 5; i++ {
		moving = c.open(i%2, "admin", "", last)
		for range 1 + i%4 {
			got = append(got, moving.next())
			last = got[len(got)-1].id
			if countOf(got, "interaction_ends") == 5 {
				break
			}
		}
		moving.close()
	}
	<-done
	var want []event
	for countOf(want, "interaction_ends") < 5 {
		want = append(want, whole.next())
	}
	require.Equal(t, want, got)
}

func countOf(all []event, name string) (n int) {
	for _, e := range all {
		if e.name == name {
			n++
		}
	}
	return n
}

func TestFromNowOnMeansAfterTheHeaders(t *testing.T) {
	c := newCenter(t)
	c.start("before", "")
	require.Eventually(t, func() bool {
		response := c.send(0, "admin", http.MethodGet, "/v1/interactions?open=true", nil)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return err == nil && strings.Contains(string(text), `"before"`)
	}, patience, 10*time.Millisecond)
	for i := range 30 {
		stream := c.open(i%2, "admin", "", "")
		id := fmt.Sprint("now-", i)
		c.start(id, "")
		for stream.next().body(t)["interaction"] != id { // a start before may come late to this replica
		}
		stream.close()
	}
}

func TestEventsHaveWhatTheContractSays(t *testing.T) {
	c := newCenter(t)
	plain, full, own := c.open(0, "admin", "", ""), c.open(0, "admin", "?include=state", ""), c.open(1, "ann", "?include=state", "")
	c.play("one")
	a, b := plain.until("interaction_ends"), full.until("interaction_ends")
	require.Equal(t, names(a), names(b))
	accepted := slices.IndexFunc(a, func(e event) bool { return e.body(t)["command"] == "accept" && e.name == "segment_change" })
	body := a[accepted].body(t)
	for _, field := range []string{"contact_center", "interaction", "sequence", "revision", "when", "at", "command", "segment", "leg", "from", "to", "agent", "fields"} {
		require.Contains(t, body, field)
	}
	require.Equal(t, "segment_change", body["when"])
	require.NotContains(t, body, "state")
	for i := range a {
		shown := b[i].body(t)
		state := shown["state"].(map[string]any)
		require.Equal(t, shown["revision"], state["revision"])
		require.IsType(t, []any{}, state["capabilities"])
		delete(shown, "state")
		require.Equal(t, a[i].body(t), shown)
	}
	for _, e := range b {
		require.Equal(t, e.name, e.body(t)["when"])
	}
	// Ann has a part from the offer to the transfer.
	mine := own.next()
	require.Equal(t, "offer", mine.body(t)["command"])
	require.Contains(t, mine.body(t)["state"].(map[string]any)["capabilities"], "accept")
}

func TestFilters(t *testing.T) {
	c := newCenter(t)
	for i, query := range []string{"?interaction=three,two", "?interaction=three&interaction=two"} {
		stream := c.open(i, "admin", query, "")
		defer func() {
			for _, e := range stream.until("interaction_ends") {
				require.Equal(t, "two", e.body(t)["interaction"])
			}
		}()
	}
	moments := c.open(0, "admin", "?when=interaction_ends,change", "")
	queue := c.open(1, "admin", "?queue=sales&queue=none", "")
	bob := c.open(1, "bob", "", "")
	one := c.open(0, "supervisor", "?interaction=two,three&when=interaction_ends", "")
	c.play("one")
	c.play("two")
	require.Subset(t, []string{"interaction_ends", "change"}, names(moments.until("interaction_ends")))
	require.Equal(t, "two", one.next().body(t)["interaction"])
	for _, e := range bob.until("interaction_ends") {
		require.NotContains(t, []any{"start", "place_in_queue", "offer", "hold"}, e.body(t)["command"], "bob has no part yet")
	}
	require.Equal(t, "place_in_queue", queue.next().body(t)["command"])
}

func TestWhatAStreamRefuses(t *testing.T) {
	c := newCenter(t)
	for _, test := range []struct {
		key, query string
		status     int
	}{
		{"nobody", "", 401}, {"stranger", "", 403}, {"ann", "?agent=bob", 403}, {"admin", "?when=nothing", 422}, {"admin", "?include=all", 422}, {"admin", "?x=1", 422},
	} {
		response := c.send(0, test.key, http.MethodGet, "/v1/events"+test.query, nil)
		require.Equal(t, test.status, response.StatusCode, "%+v", test)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
		require.NoError(t, response.Body.Close())
	}
	var open []*http.Response
	for range 10 {
		open = append(open, c.send(0, "short", http.MethodGet, "/v1/events", nil))
		require.Equal(t, http.StatusOK, open[len(open)-1].StatusCode)
	}
	response := c.send(0, "short", http.MethodGet, "/v1/events", nil)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.NoError(t, response.Body.Close())
	for _, r := range open {
		require.NoError(t, r.Body.Close())
	}
}

func TestAForeignContactCenterIsNeverSeen(t *testing.T) {
	c, other := newCenter(t), newCenter(t)
	other.name += "-other"
	mine := c.open(0, "admin", "", "")
	theirs := other.open(0, "admin", "", "")
	other.play("theirs")
	c.play("mine")
	last := ""
	for _, e := range theirs.until("interaction_ends") {
		require.Equal(t, other.name, e.body(t)["contact_center"])
		last = e.id
	}
	for _, e := range mine.until("interaction_ends") {
		require.Equal(t, c.name, e.body(t)["contact_center"])
	}
	// Ids have no contact center: that of another's event is a place like any other.
	c.start("more", "")
	for _, e := range c.open(1, "admin", "", last).until("interaction_starts") {
		require.Equal(t, c.name, e.body(t)["contact_center"])
	}
}

func TestAForeignIDIsResynced(t *testing.T) {
	c := newCenter(t)
	c.start("one", "")
	c.start("two", `,"queue":"sales"`)
	gone := c.open(0, "admin", "", "")
	c.play("gone")
	gone.until("interaction_ends") // the replica has it
	for _, last := range []string{"x", "1-2-3", "0123456789ab-7-2", "a-b-c", strings.Repeat("9", 300)} {
		stream := c.open(0, "admin", "", last)
		require.Equal(t, map[string]any{"reason": "foreign"}, stream.next().body(t))
		found := []string{}
		for range 2 {
			e := stream.next()
			require.Equal(t, "state", e.name)
			body := e.body(t)
			found = append(found, body["interaction"].(string))
			require.Equal(t, body["revision"], body["state"].(map[string]any)["revision"])
		}
		require.Equal(t, []string{"one", "two"}, found)
		c.command("one", "set_attributes", fmt.Sprintf(`{"comment":%q}`, last[:1]))
		require.Equal(t, "change", stream.next().name)
		// What comes after a resync can be gone on from, on another replica, too.
		place := stream.lastID()
		stream.close()
		c.command("one", "set_attributes", fmt.Sprintf(`{"comment":"%s again"}`, last[:1]))
		require.Equal(t, "change", c.open(1, "admin", "", place).next().name)
	}
}

func TestALostNoticeIsAGap(t *testing.T) {
	c := newCenter(t)
	admin, ann := c.open(0, "admin", "?when=interaction_ends", ""), c.open(1, "ann", "", "")
	c.start("one", "")
	lose := func(n *contract.Notice) bool { return n.ContactCenter == c.name && n.Command == "accept" }
	told.lose.Store(&lose)
	defer told.lose.Store(nil)
	c.command("one", "place_in_queue", `{"queue":"sales"}`)
	c.command("one", "accept", `{"agent":{"id":"ann"}}`)
	gap, state := admin.next(), admin.next()
	require.Equal(t, "gap", gap.name)
	require.Equal(t, "state", state.name)
	require.Equal(t, "one", gap.body(t)["interaction"])
	require.EqualValues(t, 3, gap.body(t)["from"])
	require.EqualValues(t, 3, gap.body(t)["to"])
	require.EqualValues(t, 3, state.body(t)["revision"])
	own := ann.until("state")
	require.Equal(t, "gap", own[len(own)-2].name)
	require.Contains(t, own[len(own)-1].body(t)["state"].(map[string]any)["capabilities"], "hold")

	// Also between the gap and its state, without a gap or a repeat.
	require.Equal(t, state, c.open(1, "admin", "?when=interaction_ends", gap.id).next())
	c.command("one", "complete", `{}`)
	after := c.open(0, "admin", "?when=interaction_ends", state.id).next()
	require.Equal(t, "interaction_ends", after.name)
}

func TestACredentialThatEndsClosesItsStreams(t *testing.T) {
	saved := expires
	expires = time.Now().Add(10 * time.Second) // after the replica has started
	r, err := startReplica(keys())
	expires = saved
	require.NoError(t, err)
	first := replicas[0]
	replicas[0] = r
	defer func() {
		replicas[0] = first
		require.NoError(t, r.Stop())
	}()
	c := newCenter(t)
	stream, other := c.open(0, "short", "", ""), c.open(0, "admin", "", "")
	stream.ended(60 * time.Second)
	response := c.send(0, "short", http.MethodGet, "/v1/events", nil)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.NoError(t, response.Body.Close())
	c.start("one", "")
	require.Equal(t, "one", other.next().body(t)["interaction"])
}

func TestAStreamEndsWhenTheGatewayStopsAndGoesOnElsewhere(t *testing.T) {
	r, err := startReplica(keys())
	require.NoError(t, err)
	first := replicas[0]
	replicas[0] = r
	c := newCenter(t)
	stream := c.open(0, "admin", "", "")
	c.start("one", "")
	last := stream.until("interaction_starts")
	began := time.Now()
	require.NoError(t, r.Stop())
	replicas[0] = first
	require.Less(t, time.Since(began), 20*time.Second)
	stream.ended(patience)
	c.command("one", "place_in_queue", `{"queue":"sales"}`)
	rest := c.open(1, "admin", "", last[len(last)-1].id)
	for rest.next().body(t)["command"] != "place_in_queue" {
	}
}

func TestAQuietStreamStaysOpenAndItsPlaceIsCurrent(t *testing.T) {
	t.Parallel()
	c, other := newCenter(t), newCenter(t)
	other.name += "-busy"
	stream := c.open(0, "admin", "", "")
	began := ""
	require.Eventually(t, func() bool { began = stream.lastID(); return began != "" }, patience, time.Millisecond)
	other.start("elsewhere", "")
	require.Eventually(t, func() bool { return stream.comments.Load() > 0 && stream.lastID() != began }, time.Minute, 10*time.Millisecond)
	place := stream.lastID()
	stream.close()
	c.start("one", "")
	require.Equal(t, "one", c.open(1, "admin", "", place).next().body(t)["interaction"])
}
