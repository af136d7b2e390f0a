package interaction_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

var begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// player applies commands to an interaction, ten seconds apart.
type player struct {
	t      require.TestingT
	i      *interaction.Interaction
	now    time.Time
	opened []string
}

func opened(t require.TestingT, start string) *player {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err)
	i, effect, err := interaction.Open(decoded, begin)
	require.NoError(t, err)
	return &player{t: t, i: i, now: begin, opened: moments(effect.Turn.Events)}
}

// command reads "name {json}"; a name in brackets is a timer.
func command(t require.TestingT, line string) interaction.Command {
	name, body, _ := strings.Cut(line, " ")
	if timer, ok := strings.CutPrefix(name, "["); ok {
		var args interaction.Timer
		if body != "" {
			require.NoError(t, json.Unmarshal([]byte(body), &args))
		}
		return interaction.TimerCommand(strings.TrimSuffix(timer, "]"), args)
	}
	cmd, err := interaction.Decode(name, []byte(body))
	require.NoError(t, err, line)
	return cmd
}

func (s *player) try(line string) (interaction.Effect, error) {
	s.now = s.now.Add(10 * time.Second)
	return s.i.Apply(command(s.t, line), s.now)
}

func (s *player) do(lines ...string) (last interaction.Effect) {
	for _, line := range lines {
		var err error
		last, err = s.try(line)
		require.NoError(s.t, err, line)
	}
	return last
}

// moments returns events as "segment.leg" and as the names of the other moments, with the
// agent of an agent's leg, and the queue of a business process if it is known.
func moments(events []interaction.Event) []string {
	written := []string{}
	for _, e := range events {
		switch {
		case e.Moment != interaction.MomentSegmentChange:
			written = append(written, string(e.Moment))
		case e.Leg == interaction.LegAgent:
			written = append(written, fmt.Sprintf("%s.agent %s", e.Segment, e.Agent.ID))
		case e.Leg == interaction.LegBusinessProcess:
			written = append(written, strings.TrimSpace(fmt.Sprintf("%s.business_process %s", e.Segment, e.Queue)))
		default:
			written = append(written, fmt.Sprintf("%s.%s", e.Segment, e.Leg))
		}
	}
	return written
}

func start(channel string, more ...string) string {
	fields := append([]string{fmt.Sprintf(`"id":"i1","contact_center":"cc","channel":%q`, channel)}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// row is what one command fires in one situation.
type row struct {
	name    string
	start   string
	given   []string
	command string
	state   string
	want    []string
}

func playRows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := opened(t, r.start)
			s.do(r.given...)
			effect := s.do(r.command)
			require.Equal(t, r.want, moments(effect.Turn.Events))
			state := string(s.i.Facts().State)
			if s.i.Completed() {
				state += "(" + string(s.i.Facts().Outcome) + ")"
			}
			require.Equal(t, r.state, state)
		})
	}
}

var (
	inbound  = start("inbound")
	sales    = start("inbound", `"queue":"sales"`)
	outbound = start("outbound")
	chat     = start("chat", `"queue":"sales"`)
	email    = start("email", `"queue":"sales"`)
	web      = start("web")
	draft    = start("email", `"parent":"p","agent":"a1","draft":true`)

	queued    = []string{`place_in_queue {"queue":"sales"}`}
	ringing   = append(queued[:1:1], `offer {"agent":"a1"}`)
	talking   = append(ringing[:2:2], `accept {"agent":"a1"}`)
	consulted = append(talking[:3:3], `consult {"to":{"agent":"a2"}}`)
	conferred = append(talking[:3:3], `conference {"agent":"a2"}`)
	wrapping  = append(talking[:3:3], `disconnect`)
)

func after(given []string, more ...string) []string {
	return append(given[:len(given):len(given)], more...)
}
