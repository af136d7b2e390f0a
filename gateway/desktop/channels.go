package desktop

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"segue/gateway/body"
	"segue/gateway/desktop/view"
	"segue/gateway/problem"
	"segue/interaction"
)

const maxEndpoint = 256 // bytes of an endpoint or a name

// channelGiven is a channel that a client adds.
type channelGiven struct {
	endpoint string
	kind     view.Type
}

// addChannel adds a channel, to the group that the target names.
func (s *Server) addChannel(_ context.Context, q *request) (any, error) {
	fields, err := object(q.data, "channel")
	if err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, invalid("data.channel", "is missing; send {endpoint, type}")
	}
	given, err := channelIn(fields, "data.channel.")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := q.session.seat
	_, events, hasRoom := one.desktop.AddChannel(given.kind, given.endpoint, q.found.GroupID)
	if !hasRoom {
		return nil, problem.New(problem.IllegalCommand, fmt.Sprintf("The session has %d channels, and that is the most.", view.MaxChannels))
	}
	one.send(events)
	return q.echoed(), nil
}

func channelIn(fields *body.Object, path string) (channelGiven, error) {
	var given channelGiven
	var err error
	if given.endpoint, err = short(fields, "endpoint", path); err != nil {
		return given, err
	}
	kind, err := text(fields, "type", path)
	if err != nil {
		return given, err
	}
	n := slices.IndexFunc(view.Types, func(t view.Type) bool { return strings.EqualFold(string(t), kind) })
	if n < 0 {
		return given, invalid(path+"type", "is not one of Telephony, Chat, Email")
	}
	given.kind = view.Types[n]
	return given, nil
}

// addGroup adds a channel group with its channels.
func (s *Server) addGroup(_ context.Context, q *request) (any, error) {
	fields, err := object(q.data, "channelgroup")
	if err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, invalid("data.channelgroup", "is missing; send {name}")
	}
	name, err := short(fields, "name", "data.channelgroup.")
	if err != nil {
		return nil, err
	}
	given, err := channelsIn(q.data)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := q.session.seat
	group, events, hasRoom := one.desktop.AddGroup(name)
	if !hasRoom {
		return nil, problem.New(problem.IllegalCommand, fmt.Sprintf("The session has %d channel groups, and that is the most.", view.MaxGroups))
	}
	one.send(events)
	for _, c := range given {
		_, events, hasRoom := one.desktop.AddChannel(c.kind, c.endpoint, group.ID)
		if !hasRoom {
			return nil, problem.New(problem.IllegalCommand, fmt.Sprintf("The session has %d channels, and that is the most.", view.MaxChannels))
		}
		one.send(events)
	}
	return q.echoed(), nil
}

func channelsIn(data *body.Object) ([]channelGiven, error) {
	listed := data.Values["channels"]
	if isNone(listed) {
		return nil, nil
	}
	objects, err := body.ReadObjects(listed)
	if err != nil {
		return nil, invalid("data.channels", "is not a list of objects")
	}
	if len(objects) > view.MaxChannels {
		return nil, invalid("data.channels", fmt.Sprintf("has more than %d channels", view.MaxChannels))
	}
	given := make([]channelGiven, len(objects))
	for n, fields := range objects {
		if given[n], err = channelIn(fields, fmt.Sprintf("data.channels[%d].", n)); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// short returns a text that is bounded and may be empty.
func short(o *body.Object, field, path string) (string, error) {
	value, err := text(o, field, path)
	if err == nil && len(value) > maxEndpoint {
		err = invalid(path+field, fmt.Sprintf("has more than %d bytes", maxEndpoint))
	}
	return value, err
}

// dial starts an outbound call and dials it for the agent, as one.
func (s *Server) dial(ctx context.Context, q *request) (any, error) {
	if q.found.Channel != view.Telephony {
		return nil, problem.New(problem.IllegalCommand, "Only a channel of type Telephony dials.")
	}
	destination, err := text(q.data, "destination", "data.")
	if err != nil {
		return nil, err
	}
	if destination == "" {
		return nil, invalid("data.destination", "is missing; send the number to dial")
	}
	extensions, err := object(q.data, "extensions")
	if err != nil {
		return nil, err
	}
	key := q.eventID()
	name, err := q.session.name(dialedID(key))
	if err != nil {
		return nil, err
	}
	by := q.session.actor()
	start := fields{"id": name.ID, "contact_center": name.ContactCenter, "channel": interaction.ChannelOutbound, "direction": "outbound",
		"destination": destination, "event_id": key, "by": by}
	if extensions != nil && len(extensions.Values) > 0 {
		start["user_data"] = extensions.Encode()
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
	sum := sha256.Sum256([]byte(key))
	return "his-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
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
