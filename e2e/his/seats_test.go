package his_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// story is what a seat was notified about one interaction: the last sequence number of each revision.
type story struct {
	mu   sync.Mutex
	told map[int64]int64
}

func (s *story) tell(o object) {
	revision, _ := o["revision"].(float64)
	sequence, _ := o["sequence"].(float64)
	if revision == 0 {
		return // of no interaction
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == nil {
		s.told = map[int64]int64{}
	}
	s.told[int64(revision)] = max(s.told[int64(revision)], int64(sequence))
}

func (s *story) copied() map[int64]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.told)
}

// follow reads the events of an interaction over SSE until the test ends.
func (s *story) follow(t *testing.T, id string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/events?interaction="+id, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			var event object
			if isData && json.Unmarshal([]byte(data), &event) == nil {
				s.tell(event)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
	})
}

// cometd is an agent's client of /api/v2.
type cometd struct {
	t     *testing.T
	agent string
	story
}

func (c *cometd) send(ctx context.Context, method, path string, body any) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, url+"/api/v2"+path, strings.NewReader(string(encoded)))
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(c.agent, "any")
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// listen subscribes to the agent's interactions, and reads messages until the test ends.
func (c *cometd) listen(id string) {
	c.t.Helper()
	var replies []struct {
		ClientID   string `json:"clientId"`
		Successful bool   `json:"successful"`
	}
	read := func(message object) {
		c.t.Helper()
		answer, err := c.send(c.t.Context(), http.MethodPost, "/notifications", []object{message})
		require.NoError(c.t, err)
		require.NoError(c.t, json.Unmarshal(answer, &replies))
		require.True(c.t, replies[0].Successful, "%s", answer)
	}
	read(object{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": []string{"long-polling"}})
	client := replies[0].ClientID
	read(object{"channel": "/meta/subscribe", "clientId": client, "subscription": "/v2/me/interactions"})
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			answer, err := c.send(ctx, http.MethodPost, "/notifications", []object{{"channel": "/meta/connect", "clientId": client, "connectionType": "long-polling"}})
			var messages []struct {
				Channel string
				Data    object
			}
			if err != nil || json.Unmarshal(answer, &messages) != nil {
				continue // the test has ended
			}
			for _, m := range messages {
				if m.Channel == "/v2/me/interactions" && at(m.Data, "interaction", "id") == id {
					c.tell(m.Data)
				}
			}
		}
	})
	c.t.Cleanup(func() {
		cancel()
		reading.Wait()
	})
}

func (c *cometd) does(id, operation string, fields object) {
	c.t.Helper()
	fields["operationName"] = operation
	answer, err := c.send(c.t.Context(), http.MethodPost, "/me/interactions/"+id, fields)
	require.NoError(c.t, err)
	require.Contains(c.t, string(answer), `"statusCode":0`)
}

// TestThreeSeatsSeeOneStory has an agent on HIS, an agent on GWS, and an operator on SSE: each revision that a
// seat is notified about has the same sequence number for all, through consultation, conference and transfer.
func TestThreeSeatsSeeOneStory(t *testing.T) {
	id, halName, gwenName := unique("seats"), unique("hal"), unique("gwen")
	hal, channel := telephone(t, halName, "")
	on := channel + "." + id
	gwen := &cometd{t: t, agent: gwenName}
	gwen.listen(id)
	platform(t, http.MethodPost, "/interactions", `{"id":"`+id+`","channel":"inbound","ani":"+49"}`)
	var operator, own story
	operator.follow(t, id)

	// shared are the revisions at which both agents have a part.
	var shared []int64
	revision := func() int64 {
		n, _ := platform(t, http.MethodGet, "/interactions/"+id, "")["revision"].(float64)
		return int64(n)
	}
	sharedNow := func() { shared = append(shared, revision()) }
	by := func(name, payload string) {
		platform(t, http.MethodPost, "/interactions/"+id+"/commands/"+name, payload)
	}
	hear := func(name string) {
		for heard := ""; heard != name; {
			e := hal.event()
			own.tell(e)
			heard, _ = e["name"].(string)
		}
	}
	by("offer", `{"agent":"`+halName+`"}`)
	hear("interaction.initialized")
	hal.succeeds("conversation.answer", on+".p", `{}`)
	hal.succeeds("interaction.consultdial", on, `{"agent":"`+gwenName+`"}`)
	sharedNow()
	by("update_user_data", `{"user_data":{"tier":"gold"}}`)
	sharedNow()
	hal.succeeds("interaction.consultconference", on, `{}`)
	sharedNow()
	by("update_user_data", `{"user_data":{"tier":"iron"}}`)
	sharedNow()
	gwen.does(id, "Complete", object{}) // she leaves
	hal.succeeds("interaction.consultdial", on, `{"agent":"`+gwenName+`"}`)
	sharedNow()
	hal.succeeds("interaction.consulttransfer", on, `{}`)
	sharedNow()
	gwen.does(id, "Complete", object{})
	last := revision()

	hear("interaction.ended") // his part, with the transfer
	seats := map[string]*story{"HIS": &own, "GWS": &gwen.story, "SSE": &operator}
	require.Eventually(t, func() bool {
		_, gws := gwen.copied()[last]
		_, sse := operator.copied()[last]
		return gws && sse
	}, patience, pollEvery)
	all := operator.copied()
	for name, seat := range seats {
		told := seat.copied()
		for _, n := range shared {
			require.Contains(t, told, n, "%s: %v of %v", name, slices.Sorted(maps.Keys(told)), shared)
		}
		for n, sequence := range told {
			require.Equal(t, all[n], sequence, "%s: revision %d", name, n)
		}
	}
}
