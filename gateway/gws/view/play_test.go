package view_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/gws/view"
	"segue/interaction"
)

const base = "https://gws.example.com"

var begin = time.Date(2026, 3, 1, 9, 0, 0, 120_000_000, time.UTC)

// play is an interaction, and the notices of its changes as a gateway reads them from the bus.
type play struct {
	t   require.TestingT
	i   *interaction.Interaction
	now time.Time
	// last is the interaction before the next change.
	last     *view.Look
	revision int64
}

// started begins an interaction, and returns the notice of its start.
func started(t require.TestingT, start string) (*play, *contract.Notice) {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err, start)
	i, effect, err := interaction.Open(decoded, begin)
	require.NoError(t, err, start)
	p := &play{t: t, i: i, now: begin}
	return p, p.notice(interaction.Command{Name: "start"}, effect, nil)
}

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

// try applies a command ten seconds after the last. It returns nil if the command is refused.
func (p *play) try(line string) (*contract.Notice, error) {
	cmd := command(p.t, line)
	before := p.i.Present()
	p.now = p.now.Add(10 * time.Second)
	effect, err := p.i.Apply(cmd, p.now)
	if err != nil {
		return nil, err
	}
	return p.notice(cmd, effect, before), nil
}

// do applies commands, and returns the notice of the last and what was before it.
func (p *play) do(lines ...string) (before *view.Look, last *contract.Notice) {
	for _, line := range lines {
		before = p.last
		var err error
		last, err = p.try(line)
		require.NoError(p.t, err, line)
	}
	return before, last
}

func (p *play) notice(cmd interaction.Command, effect interaction.Effect, before []string) *contract.Notice {
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
	var read contract.Notice
	require.NoError(p.t, json.Unmarshal(encoded, &read))
	p.last = lookOf(&read)
	return &read
}

func lookOf(n *contract.Notice) *view.Look {
	return &view.Look{State: n.State, CapabilitiesFor: n.CapabilitiesFor}
}

// look plays commands and returns the interaction after them.
func look(t require.TestingT, start string, lines ...string) view.Look {
	p, _ := started(t, start)
	p.do(lines...)
	return *p.last
}

func start(channel string, more ...string) string {
	fields := append([]string{fmt.Sprintf(`"id":"i1","contact_center":"cc","channel":%q`, channel)}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// decoded is the data of a notification.
type decoded struct {
	MessageType, NotificationType string
	Call, Chat, Email             *resource
	Openmedia, Interaction        *resource
	ReferenceID                   json.RawMessage
	Sequence, Revision            json.Number
}

// resource is what tests look at.
type resource struct {
	ID, URI, Path, State string
	Capabilities         []string
	UserData             map[string]any
	Participants         []map[string]any
	AssignedTo           string
}

func read(t require.TestingT, m view.Message) decoded {
	var d decoded
	require.NoError(t, json.Unmarshal(m.Data, &d), "%s", m.Data)
	return d
}

func (d decoded) resource() *resource {
	for _, r := range []*resource{d.Call, d.Chat, d.Email, d.Openmedia, d.Interaction} {
		if r != nil {
			return r
		}
	}
	return nil
}

func after(given []string, more ...string) []string {
	return append(given[:len(given):len(given)], more...)
}
