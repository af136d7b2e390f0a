package view

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"unicode"

	"segue/gateway/presence"
)

// The topics of an agent's own channels and devices, and the messages on them.
const (
	ChannelsTopic  = "/v2/me/channels"
	DevicesTopic   = "/v2/me/devices"
	ChannelMessage = "ChannelStateChangeMessageV2"
	DeviceMessage  = "DeviceStateChangeMessage"
)

// Voice is the channel that has a device.
const Voice = "voice"

// The states of a device.
const (
	DeviceActive   = "Active"
	DeviceInactive = "Inactive"
)

// UserState is the state of an agent on a channel or a device.
type UserState struct {
	ID          string `json:"id"`
	State       string `json:"state"`
	DisplayName string `json:"displayName"`
}

// Channel is a channel of an agent.
type Channel struct {
	Channel   string    `json:"channel"`
	UserState UserState `json:"userState"`
}

// Device is the device of an agent. Segue knows no telephones: an agent has one device, which is active
// while the agent is logged in for voice.
type Device struct {
	ID           string    `json:"id"`
	DeviceState  string    `json:"deviceState"`
	UserState    UserState `json:"userState"`
	PhoneNumber  string    `json:"phoneNumber"`
	Capabilities []string  `json:"capabilities"`
	URI          string    `json:"uri,omitempty"`
	Path         string    `json:"path"`
}

// User is an agent as GET /me returns it.
type User struct {
	ID        string                    `json:"id"`
	UserName  string                    `json:"userName"`
	FirstName string                    `json:"firstName"`
	LastName  string                    `json:"lastName"`
	Roles     []string                  `json:"roles"`
	Enabled   bool                      `json:"enabled"`
	URI       string                    `json:"uri"`
	Path      string                    `json:"path"`
	Devices   []Device                  `json:"devices"`
	Channels  []Channel                 `json:"channels"`
	Calls     []*Resource               `json:"calls"`
	Chats     []*Resource               `json:"chats"`
	Emails    []*Resource               `json:"emails"`
	Openmedia []*Resource               `json:"openmedia"`
	Skills    []string                  `json:"skills"`
	Settings  map[string]map[string]any `json:"settings"`
}

// UserOf returns the user of an agent without interactions. base is the start of absolute URIs.
func UserOf(a presence.Agent, base string, roles []string) *User {
	path := "/users/" + url.PathEscape(a.ID)
	return &User{
		ID: a.ID, UserName: a.ID, FirstName: a.ID, Roles: roles, Enabled: true, URI: base + "/api/v2" + path, Path: path,
		Devices: DevicesOf(a, base), Channels: ChannelsOf(a), Calls: []*Resource{}, Chats: []*Resource{}, Emails: []*Resource{},
		Openmedia: []*Resource{}, Skills: []string{}, Settings: map[string]map[string]any{},
	}
}

// ChannelsOf returns the channels for which an agent is logged in.
func ChannelsOf(a presence.Agent) []Channel {
	list := make([]Channel, len(a.Channels))
	for i, c := range a.Channels {
		list[i] = Channel{Channel: c.Name, UserState: StateOf(c.State)}
	}
	return list
}

// DevicesOf returns the devices of an agent: one, logged in for voice or not. base is the start of absolute
// URIs.
func DevicesOf(a presence.Agent, base string) []Device {
	d := Device{
		ID: deviceID(a), DeviceState: DeviceInactive, UserState: StateOf(presence.LoggedOut), PhoneNumber: cmp.Or(a.Place, a.LoginCode),
		Capabilities: []string{},
	}
	if at := slices.IndexFunc(a.Channels, func(c presence.Channel) bool { return c.Name == Voice }); at >= 0 {
		d.DeviceState, d.UserState = DeviceActive, StateOf(a.Channels[at].State)
	}
	d.Path = "/devices/" + d.ID
	d.URI = base + "/api/v2" + d.Path
	return []Device{d}
}

// deviceID returns the id of an agent's device: always the same, and no other agent's.
func deviceID(a presence.Agent) string {
	sum := sha256.Sum256([]byte("device\x00" + a.ContactCenter + "\x00" + a.ID))
	return hex.EncodeToString(sum[:16])
}

// stateIDs are the ids by which clients know the states that every GWS has. Others have their name.
var stateIDs = map[string]string{
	presence.LoggedOut: "0F7F5003-EF26-4D13-A6EF-D0C7EC819BEB",
	presence.NotReady:  "900D55CC-2BB0-431F-8BF9-D3525B383BE6",
	presence.Ready:     "9430250E-0A1B-421F-B372-F29E69366DED",
}

// StateOf returns a state of an agent.
func StateOf(name string) UserState {
	return UserState{ID: cmp.Or(stateIDs[name], name), State: name, DisplayName: displayName(name)}
}

// displayName separates the words of a name: NotReady is "Not Ready".
func displayName(name string) string {
	var out []rune
	previous := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(previous) {
			out = append(out, ' ')
		}
		out = append(out, r)
		previous = r
	}
	return string(out)
}

// PresenceMessages returns what an agent's sessions receive for a change of the presence: the channels,
// those that the agent left as LoggedOut, and the device if the change was about voice. base is the start of
// absolute URIs.
func PresenceMessages(before, after presence.Agent, base string) []Message {
	messages := []Message{{Topic: ChannelsTopic, Data: mustMarshal(channelMessage{
		MessageType: ChannelMessage, Channels: withLeft(before, after), ReferenceID: reference(after),
	})}}
	if slices.Contains(after.Concerns, Voice) {
		messages = append(messages, Message{Topic: DevicesTopic, Data: mustMarshal(deviceMessage{
			MessageType: DeviceMessage, Devices: DevicesOf(after, base), ReferenceID: reference(after),
		})})
	}
	return messages
}

type channelMessage struct {
	MessageType string          `json:"messageType"`
	Channels    []Channel       `json:"channels"`
	ReferenceID json.RawMessage `json:"referenceId,omitempty"`
}

type deviceMessage struct {
	MessageType string          `json:"messageType"`
	Devices     []Device        `json:"devices"`
	ReferenceID json.RawMessage `json:"referenceId,omitempty"`
}

// reference returns the referenceId of the last change; nil if it has none.
func reference(a presence.Agent) json.RawMessage {
	if a.Reference == "" || !json.Valid([]byte(a.Reference)) {
		return nil
	}
	return json.RawMessage(a.Reference)
}

func withLeft(before, after presence.Agent) []Channel {
	list := ChannelsOf(after)
	for _, c := range before.Channels {
		if !slices.ContainsFunc(after.Channels, func(now presence.Channel) bool { return now.Name == c.Name }) {
			list = append(list, Channel{Channel: c.Name, UserState: StateOf(presence.LoggedOut)})
		}
	}
	return list
}

// mustMarshal encodes a value whose types have no encoding that fails.
func mustMarshal(v any) json.RawMessage {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return encoded
}
