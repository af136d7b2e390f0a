package desktop

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"segue/gateway/body"
	"segue/gateway/desktop/view"
	"segue/gateway/problem"
	"segue/interaction"
)

const maxEndpoint = 256 // bytes of an endpoint or a name

// addChannel adds a channel, to the group that the target names.
func (s *Server) addChannel(_ context.Context, q *request) (any, error) {
	given, err := q.given().inner("channel")
	if err != nil {
		return nil, err
	}
	if given == nil {
		return nil, invalid("data.channel", nil, "is missing; send {endpoint, type}")
	}
	added, err := channelIn(*given)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := q.session.seat
	_, events, hasRoom := one.desktop.AddChannel(added.Type, added.Endpoint, q.found.GroupID)
	if !hasRoom {
		return nil, tooManyChannels()
	}
	one.send(events)
	return q.echoed(), nil
}

func tooManyChannels() *problem.Problem {
	return problem.New(problem.IllegalCommand, fmt.Sprintf("A session may have %d channels; use those that there are.", view.MaxChannels))
}

func channelIn(fields part) (view.Channel, error) {
	var given view.Channel
	var err error
	if given.Endpoint, err = fields.short("endpoint"); err != nil {
		return given, err
	}
	kind, err := fields.text("type")
	switch {
	case err != nil:
		return given, err
	case kind == "":
		return given, invalid(fields.path+"type", nil, "is missing; send one of "+channelTypes)
	case !slices.Contains(view.Types, view.Type(kind)):
		return given, invalid(fields.path+"type", fields.object.Values["type"], "is no type of channels; send one of "+channelTypes)
	}
	given.Type = view.Type(kind)
	return given, nil
}

const channelTypes = "Telephony, Chat, Email"

// addGroup adds a channel group with its channels, all or nothing.
func (s *Server) addGroup(_ context.Context, q *request) (any, error) {
	fields, err := q.given().inner("channelgroup")
	if err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, invalid("data.channelgroup", nil, "is missing; send {name}")
	}
	name, err := fields.short("name")
	if err != nil {
		return nil, err
	}
	if isBlank(name) {
		return nil, invalid("data.channelgroup.name", fields.object.Values["name"], "is missing; send the name of the group")
	}
	given, err := channelsIn(q.given())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := q.session.seat
	if !one.desktop.HasRoom(name, given) {
		return nil, tooManyChannels()
	}
	group, events, hasRoom := one.desktop.AddGroup(name)
	if !hasRoom {
		return nil, problem.New(problem.IllegalCommand, fmt.Sprintf("A session may have %d channel groups; use those that there are.", view.MaxGroups))
	}
	one.send(events)
	for _, c := range given {
		if _, events, hasRoom := one.desktop.AddChannel(c.Type, c.Endpoint, group.ID); hasRoom {
			one.send(events)
		}
	}
	return q.echoed(), nil
}

func channelsIn(data part) ([]view.Channel, error) {
	listed := data.object.Values["channels"]
	if isNone(listed) {
		return nil, nil
	}
	objects, err := body.ReadObjects(listed)
	if err != nil {
		return nil, invalid("data.channels", listed, "is not a list of objects; send [{endpoint, type}]")
	}
	if len(objects) > view.MaxChannels {
		return nil, invalid("data.channels", nil, fmt.Sprintf("has %d channels; send at most %d", len(objects), view.MaxChannels))
	}
	given := make([]view.Channel, len(objects))
	for n, fields := range objects {
		if given[n], err = channelIn(part{fields, fmt.Sprintf("data.channels[%d].", n)}); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// dial starts an outbound call and dials it for the agent, as one.
func (s *Server) dial(ctx context.Context, q *request) (any, error) {
	if q.found.Channel != view.Telephony {
		return nil, problem.New(problem.IllegalCommand, "Only a channel of type Telephony dials.")
	}
	destination, err := q.given().text("destination")
	if err != nil {
		return nil, err
	}
	if isBlank(destination) {
		return nil, invalid("data.destination", q.data.Values["destination"], "is missing; send the number to dial")
	}
	extensions, err := q.given().inner("extensions")
	if err != nil {
		return nil, err
	}
	key, err := q.eventID()
	if err != nil {
		return nil, err
	}
	name, err := q.name(dialedID(key))
	if err != nil {
		return nil, err
	}
	by := q.session.actor()
	start := fields{"id": name.ID, "contact_center": name.ContactCenter, "channel": interaction.ChannelOutbound, "direction": "outbound",
		"destination": destination, "event_id": key, "by": by}
	if extensions != nil && len(extensions.object.Values) > 0 {
		start["user_data"] = extensions.object.Encode()
	}
	dial := fields{"command": "dial", "destination": destination, "agent": by.ID, "event_id": key + "#0", "by": by}
	s.mu.Lock()
	q.session.seat.desktop.Place(name.ID, q.found.ChannelID)
	s.mu.Unlock()
	payload, command, err := encodeBoth(start, dial)
	if err != nil {
		return nil, err
	}
	started, err := s.options.Sender.Start(ctx, name, payload, []json.RawMessage{command})
	if err != nil {
		return nil, err
	}
	for _, one := range started.Results {
		if one.Err != nil {
			return nil, one.Err
		}
		s.options.Index.Await(ctx, name, one.Answer.RunID, one.Answer.Revision)
	}
	return q.echoed(), nil
}

// dialedID returns the id of the interaction that a request dials: the same for the request sent again.
func dialedID(key string) string {
	return "his-" + short32(sha256.Sum256([]byte(key)))
}

func encodeBoth(a, b fields) (first, second json.RawMessage, err error) {
	if first, err = json.Marshal(a); err != nil {
		return nil, nil, fmt.Errorf("start: %w", err)
	}
	if second, err = json.Marshal(b); err != nil {
		return nil, nil, fmt.Errorf("command: %w", err)
	}
	return first, second, nil
}
