package view

import (
	"cmp"
	"slices"
	"strconv"
)

// Limits of the objects of one desktop.
const (
	MaxGroups   = 20
	MaxChannels = 20
)

// Group is a channel group.
type Group struct {
	ID, Name string
	isOld    bool
}

// Channel is a channel. Group is empty for one that was added without a group.
type Channel struct {
	ID, Group, Endpoint string
	Type                Type
	isOld               bool
	// interactions are the ids of those that it shows, in the order in which they came.
	interactions []string
}

// Desktop has the objects of one agent as the client knows them. It is not safe for concurrent use.
type Desktop struct {
	agent        string
	groups       []*Group
	channels     []*Channel
	groupCount   int
	channelCount int
	works        map[string]*work
	dispositions []Disposition
	// placed are the channels on which interactions were dialed that have not come yet.
	placed map[string]string
}

// New returns the desktop of an agent, which has nothing.
func New(agent string, dispositions []Disposition) *Desktop {
	return &Desktop{agent: agent, works: map[string]*work{}, dispositions: dispositions, placed: map[string]string{}}
}

// AddGroup adds a channel group. One of an earlier session with the same name is used again. It reports
// false if there are too many.
func (d *Desktop) AddGroup(name string) (*Group, []Event, bool) {
	group := find(d.groups, func(g *Group) bool { return g.isOld && g.Name == name })
	if group == nil {
		if len(d.groups) >= MaxGroups {
			return nil, nil, false
		}
		d.groupCount++
		group = &Group{ID: "g-" + strconv.Itoa(d.groupCount), Name: name}
		d.groups = append(d.groups, group)
	}
	group.isOld = false
	return group, group.created(), true
}

// AddChannel adds a channel, to a group unless that is empty. One of an earlier session of the same
// type, endpoint and group is used again. It reports false if there are too many.
func (d *Desktop) AddChannel(kind Type, endpoint, group string) (*Channel, []Event, bool) {
	channel := find(d.channels, func(c *Channel) bool {
		return c.isOld && c.Type == kind && c.Endpoint == endpoint && c.Group == group
	})
	if channel == nil {
		if len(d.channels) >= MaxChannels {
			return nil, nil, false
		}
		channel = d.makeChannel(kind, endpoint, group)
		return channel, d.added(channel), true
	}
	channel.isOld = false
	return channel, d.added(channel), true
}

// HasRoom reports whether channels can be added to the group with a name. Channels of an earlier session that are
// used again need no room.
func (d *Desktop) HasRoom(name string, added []Channel) bool {
	group := find(d.groups, func(g *Group) bool { return g.isOld && g.Name == name })
	count := len(d.channels) + len(added)
	used := map[*Channel]bool{}
	for _, one := range added {
		same := find(d.channels, func(c *Channel) bool {
			return group != nil && !used[c] && c.isOld && c.Type == one.Type && c.Endpoint == one.Endpoint && c.Group == group.ID
		})
		if same != nil {
			used[same] = true
			count--
		}
	}
	return count <= MaxChannels
}

func (d *Desktop) makeChannel(kind Type, endpoint, group string) *Channel {
	d.channelCount++
	channel := &Channel{ID: "c-" + strconv.Itoa(d.channelCount), Type: kind, Endpoint: endpoint, Group: group}
	d.channels = append(d.channels, channel)
	return channel
}

// channelFor returns the channel that shows an interaction which comes, and the events of making it.
func (d *Desktop) channelFor(w *work) (*Channel, []Event) {
	if id, isPlaced := d.placed[w.id]; isPlaced {
		delete(d.placed, w.id)
		if c := find(d.channels, func(c *Channel) bool { return c.ID == id && c.Type == w.channelType }); c != nil {
			return c, nil
		}
	}
	if c := find(d.channels, func(c *Channel) bool { return c.Type == w.channelType }); c != nil {
		return c, nil
	}
	c := d.makeChannel(w.channelType, d.agent, "")
	return c, d.added(c)
}

// maxPlaced bounds the dialed interactions that have not come.
const maxPlaced = 100

// Place has an interaction that comes next shown in a channel, on which it is dialed.
func (d *Desktop) Place(interaction, channel string) {
	if len(d.placed) >= maxPlaced {
		clear(d.placed)
	}
	d.placed[interaction] = channel
}

// Found is an object of a desktop.
type Found struct {
	Channel Type
	// ChannelID is empty for a group.
	ChannelID, GroupID string
	// Interaction is empty for a channel, Conversation for an interaction.
	Interaction, Conversation string
	// IsOwner reports that the agent owns the interaction.
	IsOwner bool
}

// Find returns the object with a path, which has the ids of an optional group, a channel, an
// interaction and a conversation. Each object must be in the one before it.
func (d *Desktop) Find(path []string) (Found, bool) {
	var f Found
	if len(path) > 0 {
		if g := find(d.groups, func(g *Group) bool { return g.ID == path[0] }); g != nil {
			f.GroupID, path = g.ID, path[1:]
		}
	}
	if len(path) == 0 {
		return f, f.GroupID != ""
	}
	channel := find(d.channels, func(c *Channel) bool { return c.ID == path[0] })
	if channel == nil || f.GroupID != "" && channel.Group != f.GroupID {
		return f, false
	}
	f.Channel, f.ChannelID, f.GroupID = channel.Type, channel.ID, channel.Group
	if len(path) == 1 {
		return f, true
	}
	f.Interaction = path[1]
	w := d.works[path[1]]
	if w == nil || w.channel != channel || len(path) > 3 {
		return f, false
	}
	f.IsOwner = w.isOwner
	if len(path) == 3 {
		f.Conversation = path[2]
		return f, w.conversationOf(path[2]) != nil
	}
	return f, true
}

// Shown returns the run and the revision of an interaction as the client knows it.
func (d *Desktop) Shown(id string) (run string, revision int64, isShown bool) {
	w := d.works[id]
	if w == nil {
		return "", 0, false
	}
	return w.run, w.revision, true
}

// Interactions lists the interactions that the client knows, oldest first.
func (d *Desktop) Interactions() []string {
	works := make([]*work, 0, len(d.works))
	for _, w := range d.works {
		works = append(works, w)
	}
	slices.SortFunc(works, func(a, b *work) int { return cmp.Or(a.startedAt.Compare(b.startedAt), cmp.Compare(a.id, b.id)) })
	ids := make([]string, len(works))
	for n, w := range works {
		ids[n] = w.id
	}
	return ids
}

func find[T any](all []*T, is func(*T) bool) *T {
	if n := slices.IndexFunc(all, is); n >= 0 {
		return all[n]
	}
	return nil
}
