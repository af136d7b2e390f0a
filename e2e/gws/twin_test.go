package gws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"segue/interaction"
)

// situation is how an interaction gets into a state: its start, and its first commands.
type situation struct {
	name, start string
	commands    []string
}

const (
	offer      = `{"command":"offer","agent":"ann"}`
	offerBoth  = `{"command":"offer","agents":["ann","bob"]}`
	accept     = `{"command":"accept","agent":"ann"}`
	consult    = `{"command":"consult","to":{"agent":"bob"}}`
	conference = `{"command":"conference","agent":"bob"}`
	disconnect = `{"command":"disconnect"}`
	toWorkbin  = `{"command":"place_in_workbin","workbin":"drafts"}`
	userData   = `{"command":"update_user_data","user_data":{"a":1,"b":{"c":2}}}`
)

// everywhere are the situations of every medium. ann has the interaction, or an offer; bob is who is asked
// for help, or has an offer too; carl has nothing to do with it.
var everywhere = []situation{
	{"started", ``, nil},
	{"assigned", `"agent":"ann"`, nil},
	{"queued", ``, []string{`{"command":"place_in_queue","queue":"sales"}`}},
	{"offered", `"queue":"sales"`, []string{offer}},
	{"offered-to-two", ``, []string{offerBoth}},
	{"rejected", `"queue":"sales"`, []string{offer, `{"command":"reject","agent":"ann"}`}},
	{"handling", ``, []string{offer, accept, userData}},
	{"held", ``, []string{offer, accept, `{"command":"hold"}`}},
	{"transferred", ``, []string{offer, accept, `{"command":"transfer","to":{"agent":"bob"}}`}},
	{"transferred-with-wrap-up", ``, []string{offer, accept, `{"command":"transfer","to":{"agent":"bob"},"wrap_up":true}`}},
	{"consulting", ``, []string{offer, accept, consult}},
	{"consulting-a-number", ``, []string{offer, accept, `{"command":"consult","to":{"number":"+4930999"}}`}},
	{"conference", ``, []string{offer, accept, conference}},
	{"in-workbin", ``, []string{offer, accept, toWorkbin}},
	{"wrap-up", ``, []string{offer, accept, disconnect}},
	{"wrap-up-of-two", ``, []string{offer, accept, conference, disconnect}},
	{"lingering", ``, []string{offer, accept, `{"command":"complete"}`}},
	{"completed", ``, []string{`{"command":"abandon"}`}},
}

// only are the situations of some channels.
var only = map[interaction.Channel][]situation{
	interaction.ChannelOutbound: {
		{"previewed", ``, []string{`{"command":"offer","agent":"ann","preview":true}`}},
		{"dialing", ``, []string{`{"command":"dial","agent":"ann","destination":"+4930123"}`}},
		{"preview-accepted", ``, []string{`{"command":"offer","agent":"ann","preview":true}`, accept}},
	},
	interaction.ChannelCloudRouting: {{"without-agent", ``, []string{`{"command":"connect"}`}}},
	interaction.ChannelWeb:          {{"engaging", ``, []string{`{"command":"engage","ixnProfile":{"visitID":"v-1"}}`}}},
	interaction.ChannelEmail:        {composing},
	interaction.ChannelSMS:          {composing},
	interaction.ChannelChat:         {composing},
}

var composing = situation{"composing", `"draft":true,"agent":"ann"`, nil}

// scene is a situation on a channel.
type scene struct {
	situation
	channel interaction.Channel
}

func (s scene) String() string { return string(s.channel) + "-" + s.name }

// scenes are all situations on all channels.
func scenes() []scene {
	var all []scene
	for _, channel := range []interaction.Channel{interaction.ChannelInbound, interaction.ChannelChat, interaction.ChannelEmail, interaction.ChannelSMS} {
		for _, s := range everywhere {
			all = append(all, scene{s, channel})
		}
	}
	for channel, situations := range only {
		for _, s := range situations {
			all = append(all, scene{s, channel})
		}
	}
	slices.SortFunc(all, func(a, b scene) int { return slices.Compare([]byte(a.String()), []byte(b.String())) })
	return all
}

// fields are those of its start.
func (s scene) fields() string {
	fields := fmt.Sprintf(`"channel":%q,"ani":"+49301","dnis":"+49302"`, s.channel)
	if s.start != "" {
		fields += "," + s.start
	}
	return fields
}

// begin starts an interaction in the situation, and returns its revision.
func (s scene) begin(id string) (int64, error) { return start(id, s.fields(), s.commands...) }

// twin is an interaction as the state machine alone has it.
type twin struct {
	*interaction.Interaction
	isDraft bool
}

// twin returns the twin of an interaction in the situation.
func (s scene) twin(id string) (*twin, error) {
	begin, err := interaction.DecodeStart(fmt.Appendf(nil, `{"id":%q,"contact_center":"acme",%s}`, id, s.fields()))
	if err != nil {
		return nil, err
	}
	t, err := twinOf(begin)
	for _, element := range s.commands {
		var fields map[string]any
		if err := errors.Join(err, json.Unmarshal([]byte(element), &fields)); err != nil {
			return nil, err
		}
		name, _ := fields["command"].(string)
		delete(fields, "command")
		if _, err = t.give(command{name, fields}, nil); err != nil {
			return nil, err
		}
	}
	return t, err
}

func twinOf(begin interaction.Start) (*twin, error) {
	i, _, err := interaction.Open(begin, time.Now())
	return &twin{i, begin.Draft}, err
}

// command is a command with its payload.
type command struct {
	name    string
	payload map[string]any
}

// give applies a command, and returns the drafts that it starts.
func (t *twin) give(c command, by *interaction.Actor) ([]interaction.Start, error) {
	fields := map[string]any{}
	for key, value := range c.payload {
		fields[key] = value
	}
	if by != nil {
		fields["by"] = by
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	decoded, err := interaction.Decode(c.name, payload)
	if err != nil {
		return nil, err
	}
	effect, err := t.Apply(decoded, time.Now())
	return effect.Children, err
}

// look is how one agent sees an interaction.
type look struct {
	interaction.Status
	agent        string
	medium       medium
	isDraft      bool
	capabilities []string
}

// seenBy returns how an agent sees the interaction now.
func (t *twin) seenBy(agent string) look {
	actor := interaction.Actor{ID: agent, Role: interaction.RoleAgent}
	status := t.StatusFor(actor)
	return look{status, agent, mediumOf(status.Channel), t.isDraft, status.Capabilities}
}

// part is an agent's part of an interaction, in the words of the table of state names.
type part string

const (
	partNone       part = "none"
	partOffered    part = "offered"
	partAssigned   part = "assigned at start"
	partDialing    part = "dialing"
	partHandling   part = "handling"
	partConsulting part = "consulting"
	partConsulted  part = "consulted"
	partConference part = "conference"
	partComposing  part = "composing"
	partWrapUp     part = "wrap_up"
)

// part returns the agent's part.
func (l look) part() part {
	if slices.ContainsFunc(l.OfferedTo, func(a interaction.Agent) bool { return a.ID == l.agent }) {
		return partOffered
	}
	own := l.own()
	switch {
	case own == nil:
		return partNone
	case own.Role == interaction.ParticipantWrapUp:
		return partWrapUp
	}
	switch l.State {
	case interaction.StateStarted, interaction.StateEngaging:
		return partAssigned
	case interaction.StateDialing:
		return partDialing
	case interaction.StateComposing:
		return partComposing
	}
	switch {
	case own.Segment == interaction.SegmentInConference:
		return partConference
	case own.Segment == interaction.SegmentConsulting && own.Role == interaction.ParticipantOwner:
		return partConsulting
	case own.Segment == interaction.SegmentConsulting:
		return partConsulted
	}
	return partHandling
}

// own returns the agent's leg as a participant, rather one that is not a wrap-up; nil if there is none.
func (l look) own() (own *interaction.Participant) {
	for _, p := range l.Participants {
		if p.Agent != nil && p.Agent.ID == l.agent && (own == nil || own.Role == interaction.ParticipantWrapUp) {
			own = &p
		}
	}
	return own
}

func (l look) isHeld() bool { return l.own() != nil && l.own().Held }

// owner returns who has the interaction; "" for nobody.
func (l look) owner() string {
	if l.Agent == nil {
		return ""
	}
	return l.Agent.ID
}

// others are those who take part besides the agent, with what is to be seen of them.
func (l look) others() (who []string) {
	for _, p := range l.Participants {
		name := p.Party
		if p.Agent != nil {
			name = p.Agent.ID
		}
		if name != l.agent {
			who = append(who, fmt.Sprintf("%s held=%t", name, p.Held))
		}
	}
	slices.Sort(who)
	return who
}
