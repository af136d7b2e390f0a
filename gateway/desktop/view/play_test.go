package view_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/desktop/view"
	"segue/interaction"
)

var begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// play is an interaction, and the desktops of agents who see its changes.
type play struct {
	t        require.TestingT
	i        *interaction.Interaction
	now      time.Time
	revision int64
	desktops map[string]*view.Desktop
	// last is the last notice.
	last *contract.Notice
}

var agents = []string{"a1", "a2", "a3"}

// started begins an interaction, which no agent has.
func started(t require.TestingT, start string) *play {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err, start)
	i, effect, err := interaction.Open(decoded, begin)
	require.NoError(t, err, start)
	p := &play{t: t, i: i, now: begin, desktops: map[string]*view.Desktop{}}
	for _, agent := range agents {
		p.desktops[agent] = view.New(agent, dispositions)
	}
	p.notice(interaction.Command{Name: "start"}, effect, nil)
	return p
}

var dispositions = []view.Disposition{{Type: view.Telephony, ID: "d1", Value: "SOLD", Extensions: []string{}, Labels: []view.Label{{Language: "en", Name: "Sold"}}}}

// command reads "agent: name {json}", where "agent:" may be absent; a name in brackets is a timer.
func command(t require.TestingT, line string) interaction.Command {
	by, rest, named := strings.Cut(line, ": ")
	if !named {
		rest = line
	}
	name, body, _ := strings.Cut(rest, " ")
	if timer, ok := strings.CutPrefix(name, "["); ok {
		var args interaction.Timer
		if body != "" {
			require.NoError(t, json.Unmarshal([]byte(body), &args))
		}
		return interaction.TimerCommand(strings.TrimSuffix(timer, "]"), args)
	}
	cmd, err := interaction.Decode(name, []byte(body))
	require.NoError(t, err, line)
	if named {
		cmd.By = &interaction.Actor{ID: by, Role: interaction.RoleAgent}
	}
	return cmd
}

// try applies a command ten seconds after the last. It returns an error if the command is refused.
func (p *play) try(line string) error {
	cmd := command(p.t, line)
	before := p.i.Present()
	p.now = p.now.Add(10 * time.Second)
	effect, err := p.i.Apply(cmd, p.now)
	if err == nil {
		p.notice(cmd, effect, before)
	}
	return err
}

// notice makes the notice of a change as a gateway reads it from the bus.
func (p *play) notice(cmd interaction.Command, effect interaction.Effect, before []string) {
	p.revision++
	state := contract.State{Status: p.i.Status(), RunID: "run", Revision: p.revision}
	sent := contract.Notice{
		ContactCenter: state.ContactCenter, Interaction: state.ID, FirstRunID: "run", RunID: "run", Revision: p.revision, Sequence: state.Sequence,
		Command: cmd.Name, By: cmd.By, Events: effect.Turn.Events, AgentsBefore: before, CapabilitiesFor: map[string][]string{}, State: &state,
	}
	for _, agent := range p.i.Present() {
		sent.CapabilitiesFor[agent] = p.i.CapabilitiesFor(interaction.Actor{ID: agent, Role: interaction.RoleAgent})
	}
	encoded, err := json.Marshal(sent)
	require.NoError(p.t, err)
	p.last = &contract.Notice{}
	require.NoError(p.t, json.Unmarshal(encoded, p.last))
}

// see returns what an agent's desktop gets for the last change.
func (p *play) see(agent string) []view.Event { return p.desktops[agent].Apply(view.Of(p.last)) }

// do applies commands, which all agents see.
func (p *play) do(lines ...string) *play {
	for _, line := range lines {
		require.NoError(p.t, p.try(line), line)
		for _, agent := range agents {
			p.see(agent)
		}
	}
	return p
}

func start(channel string, more ...string) string {
	fields := append([]string{fmt.Sprintf(`"id":"i1","contact_center":"cc","channel":%q`, channel)}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// short writes events as "name target state", without the channel's id.
func short(events []view.Event) []string {
	lines := []string{}
	for _, e := range events {
		line := e.Name
		if data, ok := e.Data.(view.StateData); ok {
			line = "state " + data.State
		}
		lines = append(lines, strings.TrimSpace(line+" "+e.Target))
	}
	return lines
}
