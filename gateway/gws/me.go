package gws

import (
	"slices"

	"segue/gateway/gws/view"
	"segue/gateway/presence"
	"segue/gateway/problem"
)

// roleAgent is the role of every user who has /me.
const roleAgent = "ROLE_AGENT"

// sessionRoutes registers an agent's own user, channels and devices, and the calls of a session.
func sessionRoutes(f *face) {
	f.get("/me", f.me)
	f.post("/me", f.operateMe)
	f.get("/me/channels", f.myChannels)
	f.get("/me/channels/{channel}", f.myChannel)
	f.post("/me/channels/{channel}", f.operateChannel)
	f.get("/me/devices", f.myDevices)
	f.get("/me/devices/{device}", f.myDevice)
	f.post("/me/devices/{device}", f.operateDevice)
	// The URIs of a user and a device are without /me.
	f.get("/users/{user}", f.userAtURI)
	f.get("/devices/{device}", f.myDevice)
	f.post("/devices/{device}", f.operateDevice)
}

// userAtURI answers with the agent who asks. Other users are not shown.
func (f *face) userAtURI(q *request) (any, error) {
	if q.agent() == "" || q.PathValue("user") != q.agent() {
		return nil, problem.New(problem.NotFound, "there is no such user for you; see /me")
	}
	return f.me(q)
}

// presence returns the presence of the agent who asks, with all changes that were answered before.
func (f *face) presence(q *request) presence.Agent {
	return f.Presence.Read(q.Context(), q.contactCenter, q.agent())
}

// me answers with the agent's user. The lists are there with and without subresources.
func (f *face) me(q *request) (any, error) {
	user := view.UserOf(f.presence(q), q.base, []string{roleAgent})
	f.index.Catch(q.Context())
	for _, e := range f.index.OfAgent(q.contactCenter, q.agent()) {
		switch view.MediumOf(e.State.Channel).Name {
		case "call":
			user.Calls = append(user.Calls, q.resource(e))
		case "chat":
			user.Chats = append(user.Chats, q.resource(e))
		case "email":
			user.Emails = append(user.Emails, q.resource(e))
		default:
			user.Openmedia = append(user.Openmedia, q.resource(e))
		}
	}
	return struct {
		StatusCode int        `json:"statusCode"`
		User       *view.User `json:"user"`
	}{codeOK, user}, nil
}

func (f *face) myChannels(q *request) (any, error) {
	channels := view.ChannelsOf(f.presence(q))
	uris := make([]string, len(channels))
	for i, c := range channels {
		uris[i] = q.base + Prefix + "/me/channels/" + c.Channel
	}
	return struct {
		StatusCode int            `json:"statusCode"`
		URIs       []string       `json:"uris"`
		Channels   []view.Channel `json:"channels"`
	}{codeOK, uris, channels}, nil
}

// myChannel answers with one channel; LoggedOut if the agent is not logged in for it.
func (f *face) myChannel(q *request) (any, error) {
	name := q.PathValue("channel")
	if !slices.Contains(knownChannels, name) {
		return nil, noChannel()
	}
	channel := view.Channel{Channel: name, UserState: view.StateOf(presence.LoggedOut)}
	for _, c := range view.ChannelsOf(f.presence(q)) {
		if c.Channel == name {
			channel = c
		}
	}
	return struct {
		StatusCode int          `json:"statusCode"`
		Channel    view.Channel `json:"channel"`
	}{codeOK, channel}, nil
}

func (f *face) myDevices(q *request) (any, error) {
	devices := view.DevicesOf(f.presence(q), q.base)
	uris := make([]string, len(devices))
	for i, d := range devices {
		uris[i] = d.URI
	}
	return struct {
		StatusCode int           `json:"statusCode"`
		URIs       []string      `json:"uris"`
		Devices    []view.Device `json:"devices"`
	}{codeOK, uris, devices}, nil
}

func (f *face) myDevice(q *request) (any, error) {
	if q.agent() == "" {
		return nil, noDevice()
	}
	for _, d := range view.DevicesOf(f.presence(q), q.base) {
		if d.ID == q.PathValue("device") {
			return struct {
				StatusCode int         `json:"statusCode"`
				Device     view.Device `json:"device"`
			}{codeOK, d}, nil
		}
	}
	return nil, noDevice()
}

func noChannel() error {
	return problem.New(problem.NotFound, "there is no such channel; the channels are voice, chat, email, sms, web, openmedia and workitem")
}

func noDevice() error {
	return problem.New(problem.NotFound, "you have no such device; see /me/devices")
}
