package gws_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// payloads are payloads of the platform's commands, for ann where it is about an agent.
var payloads = map[string]string{
	"place_in_queue": `{"queue":"support"}`, "offer": `{"agent":"carl"}`, "accept": `{"agent":"ann"}`, "reject": `{"agent":"ann"}`, "dial": `{"destination":"+4930999"}`,
	"consult": `{"to":{"agent":"carl"}}`, "conference": `{"agent":"carl"}`, "leave": `{"agent":"ann"}`, "transfer": `{"to":{"agent":"carl"},"wrap_up":true}`,
	"place_in_workbin": `{"workbin":"later"}`, "set_disposition": `{"code":"sold"}`, "attach_user_data": `{"user_data":{"z":1}}`,
	"update_user_data": `{"user_data":{"a":7}}`, "delete_user_data": `{"keys":["a"]}`, "set_attributes": `{"comment":"c","ani":"+49309"}`, "survey": `{"answers":{"score":9}}`,
	"queue_event": `{"event":"announced"}`, "dtmf": `{"digits":"42#"}`, "script_signal": `{"name":"saved"}`, "signal_added": `{"name":"upsell"}`,
	"signal_removed": `{"name":"upsell"}`, "engage": `{"ixnProfile":{"visitID":"v-2"}}`, "noengage": `{"cancelData":{"visitID":"v-2"}}`,
	"engagement_result": `{"result":"accepted","queue":"web"}`, "segment_change": `{"segment":"missed","agent":"ann"}`,
}

// TestAgentsAreNotifiedOfWhatOthersDo gives every command of the platform in every situation, and compares
// what everybody reads and is notified of with the oracle. Reduced like the other test.
func TestAgentsAreNotifiedOfWhatOthersDo(t *testing.T) {
	m := &matrix{seed: seed(t), sessions: sessionsOfAll(t)}
	for _, s := range scenes() {
		if !strings.Contains(s.String(), os.Getenv("SEGUE_SCENE")) {
			continue
		}
		t.Run(s.String(), func(t *testing.T) { m.tryPlatform(t, s) })
	}
	m.requireNothingElsewhere(t)
	t.Logf("%d applied", m.applied.Load())
	requireNoDefect(t)
}

// tryPlatform gives the commands of the platform in one scene.
func (m *matrix) tryPlatform(t *testing.T, s scene) {
	var cells []cell
	given := map[int64]command{}
	for _, name := range interaction.Commands() {
		twin, err := s.twin("tried")
		require.NoError(t, err)
		payload := payloads[name]
		if payload == "" {
			payload = "{}"
		}
		do := is(name, payload)(look{})[0]
		c := m.cell(s, thePlatform, operation{fields: name}, "")
		if code, _ := twin.judge(do, thePlatform); code != 0 || m.skips(c, appliedShare) {
			continue
		}
		c.id = fmt.Sprintf("other-%d", c.number)
		cells, given[c.number] = append(cells, c), do
	}
	var mu sync.Mutex
	var made []*outcome
	err := m.all(cells, func(c cell) error {
		o, err := m.give(c, given[c.number])
		mu.Lock()
		defer mu.Unlock()
		made = append(made, o)
		return err
	})
	require.NoError(t, m.barrier())
	wrong := []error{err}
	for _, o := range made {
		wrong = append(wrong, m.checkNotified(o))
	}
	require.NoError(t, errors.Join(wrong...))
	require.NoError(t, m.end(made))
}

// give gives a command of the platform to an interaction of its own.
func (m *matrix) give(c cell, do command) (*outcome, error) {
	m.applied.Add(1)
	made := &outcome{cell: c}
	var err error
	if made.revision, err = c.begin(c.id); err != nil {
		return made, err
	}
	t, err := c.twin(c.id)
	if err != nil {
		return made, err
	}
	single := operation{commands: func(look) []command { return []command{do} }, method: http.MethodPut}
	made.verdict = judge(t, thePlatform, single)
	a, err := thePlatform.send(http.MethodPost, "/v1/interactions/"+c.id+"/commands/"+do.name, text(do.payload))
	if err != nil || a.Status != http.StatusOK {
		return made, errors.Join(err, fmt.Errorf("%d %s", a.Status, a.Raw))
	}
	for _, begin := range made.verdict.children {
		child, err := twinOf(begin)
		if err != nil {
			return made, err
		}
		made.children = append(made.children, child)
	}
	return made, errors.Join(made.checkCommands(), m.awaitNotified(made), t.checkReads(c.id, ann, bob, carl, theAdmin))
}

// TestAnAgentIsNotifiedOfAMissedOffer has the timer withdraw an offer.
func TestAnAgentIsNotifiedOfAMissedOffer(t *testing.T) {
	s, err := open(ann.withPassword(), false, "/**")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	for m, channel := range media {
		id := "missed-" + m.name
		_, err := start(id, fmt.Sprintf(`"channel":%q`, channel), `{"command":"offer","agent":"ann","timeout":"1s"}`)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, ended(id)) })
	}
	for m := range media {
		id := "missed-" + m.name
		require.NoError(t, s.await(id, 0, 4))
		shown := map[string][]string{}
		s.read(func() {
			for _, n := range s.of(id, 0) {
				state, _ := n.resource["state"].(string)
				shown[n.topic] = append(shown[n.topic], n.kind+" "+state)
				require.Nil(t, n.reference)
				require.Equal(t, state == lost.of(m), len(sorted(n.resource["capabilities"])) == 0, text(n.fields))
			}
		})
		want := []string{"StatusChange " + stateNames[partOffered].of(m), "StatusChange " + lost.of(m)}
		require.Equal(t, map[string][]string{"/v2/me/interactions": want, "/v2/me/" + m.plural: want}, shown)
	}
}
