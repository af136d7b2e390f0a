package view

import (
	"net/url"
	"slices"
	"strings"
)

// Disposition is a configured code that an agent can choose, on channels of a type.
type Disposition struct {
	Type       Type     `json:"-"`
	ID         string   `json:"interactionDispositionId"`
	Value      string   `json:"value"`
	Extensions []string `json:"extensions"`
	Labels     []Label  `json:"labels"`
}

// Label is the name of a disposition in one language.
type Label struct {
	Language    string `json:"language"`
	Country     string `json:"country"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Escaped writes an id as a segment of a target, in which a dot separates ids.
func Escaped(id string) string { return strings.ReplaceAll(url.PathEscape(id), ".", "%2E") }

func (g *Group) created() []Event {
	data := GroupData{GroupInfo{ID: g.ID, Name: g.Name}}
	return []Event{{Target: g.ID, Name: ChannelGroupCreated, Data: data}, {Target: g.ID, Name: ChannelGroupInitialized, Data: data}}
}

// target is the path of a channel, in the form in which it was added.
func (c *Channel) target() string {
	if c.Group == "" {
		return c.ID
	}
	return c.Group + "." + c.ID
}

func (c *Channel) state() string {
	if len(c.interactions) == 0 {
		return StateInactive
	}
	return StateActive
}

func (c *Channel) info() ChannelData {
	return ChannelData{ChannelInfo{ID: c.ID, Type: c.Type, Endpoint: c.Endpoint, Interactions: append([]string{}, c.interactions...)}}
}

// added returns the events of a new channel. Channels are always added INACTIVE.
func (d *Desktop) added(c *Channel) []Event {
	return []Event{
		{Target: c.target(), Name: ChannelInitialized, Data: c.info()},
		{Target: c.target(), Name: StateUpdated, Data: StateData{State: c.state()}},
		d.offersDispositions(c),
	}
}

func (d *Desktop) offersDispositions(c *Channel) Event {
	return Event{Target: c.target(), Name: ChannelDispositionsUpdated, Data: DispositionsData{d.dispositionsOf(c.Type)}}
}

func (d *Desktop) dispositionsOf(kind Type) []Disposition {
	chosen := []Disposition{}
	for _, one := range d.dispositions {
		if one.Type == kind && !slices.ContainsFunc(chosen, func(o Disposition) bool { return o.ID == one.ID }) {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

// Configure sets the dispositions, and returns the events of the channels whose dispositions changed.
func (d *Desktop) Configure(dispositions []Disposition) []Event {
	before := map[Type][]Disposition{}
	for _, kind := range Types {
		before[kind] = d.dispositionsOf(kind)
	}
	d.dispositions = dispositions
	var events []Event
	for _, c := range d.channels {
		if !slices.EqualFunc(before[c.Type], d.dispositionsOf(c.Type), sameChoice) {
			events = append(events, d.offersDispositions(c))
		}
	}
	return events
}

func sameChoice(a, b Disposition) bool {
	return a.ID == b.ID && a.Value == b.Value && slices.Equal(a.Extensions, b.Extensions) && slices.Equal(a.Labels, b.Labels)
}

// take adds an interaction to a channel, and returns the channel's events.
func (c *Channel) take(id string) []Event {
	previous := c.state()
	c.interactions = append(c.interactions, id)
	return c.changed(previous)
}

// drop removes an interaction from a channel, and returns the channel's events.
func (c *Channel) drop(id string) []Event {
	previous := c.state()
	c.interactions = slices.DeleteFunc(c.interactions, func(one string) bool { return one == id })
	return c.changed(previous)
}

// changed returns the events of a channel that shows other interactions than before. Its state changes with the
// first and with the last one.
func (c *Channel) changed(previous string) []Event {
	events := []Event{{Target: c.target(), Name: ChannelInfoChanged, Data: c.info()}}
	if state := c.state(); state != previous {
		events = append(events, Event{Target: c.target(), Name: StateUpdated, Data: StateData{State: state, Previous: previous}})
	}
	return events
}
