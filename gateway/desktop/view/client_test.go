package view_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop/view"
)

type object = map[string]any

// tree is what a client knows that has nothing but events. Each event must be about an object that is there.
type tree struct {
	t            require.TestingT
	channels     map[string]*channelNode
	interactions map[string]*interactionNode
	isReady      bool
}

type channelNode struct {
	State        string
	Interactions []string
}

type interactionNode struct {
	State, NativeID, Focus string
	IsInitialized          bool
	Data, Attributes       object
	Disposition            object
	Signals                map[string]object
	Conversations          map[string]*conversationNode
}

type conversationNode struct {
	Type, State   string
	Members       []string
	IsInitialized bool
}

func newTree(t require.TestingT) *tree {
	return &tree{t: t, channels: map[string]*channelNode{}, interactions: map[string]*interactionNode{}}
}

// take applies events as a client reads them: from JSON.
func (c *tree) take(events []view.Event) {
	for _, e := range events {
		encoded, err := json.Marshal(e.Data)
		require.NoError(c.t, err)
		var data object
		require.NoError(c.t, json.Unmarshal(encoded, &data), "%s", encoded)
		c.one(e.Name, e.Target, data)
	}
}

func (c *tree) one(name, target string, data object) {
	parts := strings.Split(target, ".")
	switch {
	case name == view.SessionInitialized:
		c.isReady = true
	case strings.HasPrefix(name, "channelgroup."):
	case name == view.ChannelInitialized:
		c.channels[target] = &channelNode{}
	case len(parts) == 1:
		c.channel(name, target, data)
	case name == view.InteractionCreated:
		require.Nil(c.t, c.interactions[target], "created twice")
		native, _ := data["interaction"].(object)["nativeId"].(string)
		c.interactions[target] = &interactionNode{NativeID: native, Signals: map[string]object{}, Conversations: map[string]*conversationNode{}}
	case len(parts) == 2:
		c.interaction(name, target, data)
	default:
		c.conversation(name, strings.Join(parts[:2], "."), parts[2], data)
	}
}

// moved checks that a state follows on the one that the client knows, and is another.
func (c *tree) moved(from string, data object) string {
	previous, _ := data["previous"].(string)
	require.Equal(c.t, from, previous)
	require.NotEqual(c.t, from, data["state"], "no change")
	return data["state"].(string)
}

func (c *tree) channel(name, target string, data object) {
	node := c.channels[target]
	require.NotNil(c.t, node, name+" "+target)
	switch name {
	case view.StateUpdated:
		node.State = c.moved(node.State, data)
	case view.ChannelInfoChanged:
		node.Interactions = nil
		for _, id := range data["channel"].(object)["interactions"].([]any) {
			node.Interactions = append(node.Interactions, id.(string))
		}
	case view.ChannelDispositionsUpdated:
	default:
		require.Fail(c.t, name)
	}
}

func (c *tree) interaction(name, target string, data object) {
	node := c.interactions[target]
	require.NotNil(c.t, node, name+" "+target)
	switch name {
	case view.StateUpdated:
		node.State = c.moved(node.State, data)
	case view.InteractionDataChanged:
		node.Data, node.Attributes = data["data"].(object), data["attributes"].(object)
		node.Disposition, _ = data["disposition"].(object)
		node.NativeID, _ = node.Attributes["nativeId"].(string)
	case view.InteractionPreview:
	case view.InteractionInitialized:
		require.False(c.t, node.IsInitialized)
		node.IsInitialized = true
	case view.InteractionFocusChanged:
		id := data["conversation"].(object)["id"].(string)
		require.NotNil(c.t, node.Conversations[id])
		node.Focus = id
	case view.InteractionSignalAdded:
		node.Signals[data["name"].(string)] = data
	case view.InteractionSignalRemoved:
		require.Contains(c.t, node.Signals, data["name"])
		delete(node.Signals, data["name"].(string))
	case view.InteractionEnded:
		require.Empty(c.t, node.Conversations)
		require.NotEmpty(c.t, data["reason"])
		delete(c.interactions, target)
	default:
		require.Fail(c.t, name)
	}
}

func (c *tree) conversation(name, interaction, id string, data object) {
	node := c.interactions[interaction]
	require.NotNil(c.t, node, name)
	if name == view.ConversationCreated {
		require.Nil(c.t, node.Conversations[id])
		node.Conversations[id] = &conversationNode{Type: data["conversation"].(object)["type"].(string)}
		return
	}
	one := node.Conversations[id]
	require.NotNil(c.t, one, name+" "+id)
	switch name {
	case view.StateUpdated:
		one.State = c.moved(one.State, data)
	case view.ConversationMemberAdded:
		one.Members = append(one.Members, data["member"].(object)["id"].(string))
	case view.ConversationInitialized:
		require.False(c.t, one.IsInitialized)
		one.IsInitialized = true
	case view.ConversationUpdated:
		node.NativeID = data["nativeId"].(string)
		maps.Copy(node.Attributes, data)
	case view.ConversationDisposed:
		require.Equal(c.t, view.StateEnded, one.State)
		delete(node.Conversations, id)
	default:
		require.Fail(c.t, name)
	}
}

// same checks that a client after a replay knows what an undisturbed one does. Nothing tells who has left a
// conversation: the undisturbed one may know more members. The focus is on the primary conversation at first.
func (c *tree) same(replayed *tree) {
	require.True(c.t, replayed.isReady)
	require.Equal(c.t, c.channels, replayed.channels)
	require.ElementsMatch(c.t, slices.Collect(maps.Keys(c.interactions)), slices.Collect(maps.Keys(replayed.interactions)))
	for target, node := range c.interactions {
		other := replayed.interactions[target]
		require.ElementsMatch(c.t, slices.Collect(maps.Keys(node.Conversations)), slices.Collect(maps.Keys(other.Conversations)))
		for id, one := range node.Conversations {
			again := other.Conversations[id]
			require.Subset(c.t, one.Members, again.Members)
			require.Equal(c.t, conversationNode{one.Type, one.State, nil, one.IsInitialized}, conversationNode{again.Type, again.State, nil, again.IsInitialized})
		}
		a, b := *node, *other
		a.Conversations, b.Conversations = nil, nil
		a.Focus, b.Focus = node.focused(), other.focused()
		require.Equal(c.t, b, a)
	}
}

func (n *interactionNode) focused() string {
	if n.Conversations[n.Focus] == nil || n.Focus == "" {
		return view.PrimaryID
	}
	return n.Focus
}
