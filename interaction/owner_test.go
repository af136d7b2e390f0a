package interaction_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// The previous agent had the interaction before the agent it is about, and is never that agent.
func TestThePreviousAgentIsAnotherAgent(t *testing.T) {
	for _, c := range []struct {
		name, lines  string
		owner, other string
	}{
		{"the first", "accept ada", "ada", ""},
		{"passed on", "accept ada; to bob", "bob", "ada"},
		{"back from a queue", "accept ada; queue; accept ada", "ada", ""},
		{"back from another", "accept ada; to bob; to ada", "ada", "bob"},
		{"back from another, by a queue", "accept ada; to bob; queue; accept bob", "bob", "ada"},
		{"twice the same, by two queues", "accept ada; to bob; queue; accept bob; queue; accept bob", "bob", "ada"},
		{"without an owner", "accept ada; queue", "", "ada"},
		{"a refused offer passes nothing on", "accept ada; offer bob; reject bob; accept ada", "ada", ""},
		{"around the table", "accept ada; to bob; to cyd; to ada", "ada", "cyd"},
	} {
		s := opened(t, sales)
		var last interaction.Effect
		for _, line := range strings.Split(c.lines, "; ") {
			verb, agent, _ := strings.Cut(line, " ")
			last = s.do(map[string]string{
				"accept": `accept {"agent":"` + agent + `"}`, "to": `transfer {"to":{"agent":"` + agent + `"}}`, "queue": queued[0],
				"offer": `transfer {"to":{"agent":"` + agent + `"},"mode":"offer"}`, "reject": `reject {"agent":"` + agent + `"}`,
			}[verb])
		}
		status := s.i.Status()
		require.Equal(t, c.owner, idOf(status.Agent), c.name)
		require.Equal(t, c.other, idOf(status.PreviousAgent), c.name)
		require.Equal(t, c.other, idOf(last.Turn.View.PreviousAgent), c.name)
	}
	s := opened(t, start("outbound", `"agent":"eve"`))
	s.do(queued[0], `accept {"agent":"ada"}`)
	require.Nil(t, s.i.Status().PreviousAgent, "an agent to whom it was only assigned never had it")

	// Each event has the agent who had the interaction before the agent it is about.
	s = opened(t, sales)
	s.do(`accept {"agent":"ada"}`, `transfer {"to":{"agent":"bob"},"wrap_up":true}`, `transfer {"to":{"agent":"cyd"},"wrap_up":true}`)
	previous := map[string]string{}
	for _, line := range []string{`leave {"agent":"ada"}`, `leave {"agent":"bob"}`, `consult {"to":{"agent":"dan"}}`} {
		for _, e := range s.do(line).Turn.Events {
			previous[e.Agent.ID] = idOf(e.PreviousAgent)
		}
	}
	require.Equal(t, map[string]string{"ada": "", "bob": "ada", "cyd": "bob", "dan": "bob"}, previous)
}

func idOf(agent *interaction.Agent) string {
	if agent == nil {
		return ""
	}
	return agent.ID
}

// A report for an agent who does not own the interaction ends at most that agent's part.
func TestOnlyTheOwnerEndsAnInteraction(t *testing.T) {
	group := after(queued, `offer {"agents":["a1","a2"]}`, `accept {"agent":"a1"}`)
	const hint = " does not own the interaction; leave out agent to end it for everybody"
	for _, c := range []struct {
		name    string
		given   []string
		line    string
		refused string
		state   interaction.State
	}{
		{"an agent of the group who did not get it", group, `complete {"agent":"a2"}`, "a2" + hint, "handling"},
		{"with a disposition", group, `complete {"agent":"a2","disposition":{"code":"SOLD"}}`, "a2" + hint, "handling"},
		{"the same as that agent", group, `complete {"by":{"id":"a2","role":"agent"}}`, "a2 does not own the interaction", "handling"},
		{"that agent cancels", group, `cancel {"agent":"a2"}`, "a2" + hint, "handling"},
		{"the owner", group, `complete {"agent":"a1"}`, "", "completed"},
		{"the platform", group, `complete`, "", "completed"},
		{"a supervisor", group, `complete {"by":{"id":"sue","role":"supervisor"}}`, "", "completed"},
		{"an agent in the conference", conferred, `complete {"agent":"a2"}`, "a2" + hint, "conference"},
		{"an agent who has passed it on", after(talking, `transfer {"to":{"agent":"a2"}}`), `complete {"agent":"a1"}`, "a1" + hint, "handling"},
		{"an agent who wraps up after passing it on", after(talking, `transfer {"to":{"queue":"backup"},"wrap_up":true}`), `complete {"agent":"a1"}`,
			"a1 does not own the interaction; send leave to end that agent's wrap-up", "queued"},
		{"another agent, while it waits", queued, `complete {"agent":"a9"}`, "a9" + hint, "queued"},
		{"an agent to whom it is offered", ringing, `complete {"agent":"a1"}`, "a1" + hint, "offered"},
		{"in a workbin", after(talking, `place_in_workbin {"workbin":"w"}`), `complete {"agent":"a1"}`, "", "completed"},
		{"before an agent has begun", nil, `complete {"agent":"a1"}`, "", "completed"},
		{"in wrap-up", wrapping, `complete {"agent":"a1"}`, "", "completed"},
		{"a report ends that agent's leg only", group, `segment_change {"segment":"interaction_ends","agent":"a2"}`, "", "handling"},
		{"also in a conference", conferred, `segment_change {"segment":"interaction_ends","agent":"a2"}`, "", "handling"},
		{"a report of the owner", group, `segment_change {"segment":"interaction_ends","agent":"a1"}`, "", "completed"},
	} {
		s := opened(t, sales)
		s.do(c.given...)
		_, err := s.try(c.line)
		if c.refused == "" {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorContains(t, err, c.refused, c.name)
		}
		require.Equal(t, c.state, s.i.Facts().State, c.name)
	}
}

// Whatever the source's clock shows, no event is before an earlier one, and interaction_ends
// has the time at which the interaction ended.
func TestTheEndEventHasTheTimeOfTheEnd(t *testing.T) {
	for name, lines := range map[string][]string{
		"a late report": {`accept {"agent":"a1","at":"2026-03-01T09:00:09Z"}`, `complete {"at":"2026-03-01T09:00:05Z"}`},
		"a clock that runs behind": {`accept {"agent":"a1"}`, `disconnect {"at":"2026-03-01T09:00:01Z"}`,
			`set_disposition {"code":"SOLD","at":"2026-03-01T09:00:02Z"}`, `[wrap_up_timeout] {"agent":"a1"}`},
		"from the future":         {`place_in_queue {"queue":"sales","at":"2099-01-01T00:00:00Z"}`, `abandon {"at":"2026-03-01T09:00:15Z"}`},
		"of a segment's report":   {`accept {"agent":"a1"}`, `segment_change {"segment":"handled","at":"2026-03-01T09:00:02Z"}`},
		"on time":                 {`accept {"agent":"a1","at":"2026-03-01T09:00:02Z"}`, `complete {"at":"2026-03-01T09:00:15Z"}`},
		"late data of the source": {`accept {"agent":"a1"}`, `complete`, `survey {"answers":{"csat":5},"at":"2026-03-01T09:00:01Z"}`},
	} {
		s := opened(t, sales)
		var last time.Time
		for _, line := range lines {
			for _, e := range s.do(line).Turn.Events {
				require.False(t, e.At.Before(last), "%s: %s", name, e.Moment)
				last = e.At
				if e.Moment == interaction.MomentInteractionEnds {
					require.Equal(t, *s.i.Facts().EndedAt, e.At, name)
				}
			}
		}
		require.False(t, last.Before(*s.i.Facts().EndedAt), name)
	}
}
