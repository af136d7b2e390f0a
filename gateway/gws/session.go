package gws

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"segue/gateway/gws/view"
	"segue/gateway/presence"
	"segue/gateway/problem"
)

// The operations of a session. Every other name is a state.
const (
	startSession = "StartContactCenterSession"
	endSession   = "EndContactCenterSession"
)

// knownChannels are the channels for which agents log in; usualChannels those of a session that names
// none.
var (
	knownChannels = []string{view.Voice, "chat", "email", "sms", "web", "openmedia", "workitem"}
	usualChannels = []string{view.Voice, "chat", "email"}
)

const (
	// maxChannels bounds the channels of a request, and maxText the texts of a login, in bytes.
	maxChannels = 32
	maxText     = 256
)

// stateName is what a state may be called: Ready, NotReady, Lunch Break.
var stateName = regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{N} ._-]{0,62}[\p{L}\p{N}._-])?$`)

// operateMe starts or ends the agent's session, or sets the state of all channels.
func (f *face) operateMe(q *request) (any, error) {
	name, err := q.operation()
	if err != nil {
		return nil, err
	}
	switch name {
	case startSession:
		return f.logIn(q)
	case endSession:
		return f.changePresence(q, func(a *presence.Agent) error { return leave(a, "") })
	}
	return f.setState(q, name, "")
}

// operateChannel sets the state of one channel.
func (f *face) operateChannel(q *request) (any, error) {
	if !slices.Contains(knownChannels, q.PathValue("channel")) {
		return nil, noChannel()
	}
	return f.operateOne(q, q.PathValue("channel"))
}

// operateDevice sets the state of the device, which is that of voice.
func (f *face) operateDevice(q *request) (any, error) {
	if _, err := f.myDevice(q); err != nil {
		return nil, err
	}
	return f.operateOne(q, view.Voice)
}

func (f *face) operateOne(q *request, channel string) (any, error) {
	name, err := q.operation()
	if err != nil {
		return nil, err
	}
	if name == startSession || name == endSession {
		return nil, refuse(codeForbidden, "operationName: %s is an operation of /me; send it there", name)
	}
	return f.setState(q, name, channel)
}

// operation returns the operationName of the body.
func (q *request) operation() (string, error) {
	name, err := q.text("operationName")
	if err == nil && name == "" {
		err = refuse(codeMissing, "operationName: is missing; name an operation or a state")
	}
	return name, err
}

// logIn logs the agent in for the channels of the body. Those for which the agent is logged in keep their
// states; the others begin as NotReady.
func (f *face) logIn(q *request) (any, error) {
	channels, unknown, err := q.channels()
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, field := range []string{"place", "loginCode", "queue"} {
		if given[field], err = q.shortText(field); err != nil {
			return nil, err
		}
	}
	answer, err := f.changePresence(q, func(a *presence.Agent) error {
		for _, name := range channels {
			if a.Channel(name) == nil {
				a.Channels = append(a.Channels, presence.Channel{Name: name, State: presence.NotReady})
			}
		}
		a.Concerns = channels
		for field, kept := range map[string]*string{"place": &a.Place, "loginCode": &a.LoginCode, "queue": &a.Queue} {
			if given[field] != "" {
				*kept = given[field]
			}
		}
		return nil
	})
	if err == nil && len(unknown) > 0 {
		err = refuse(codePartial, "channels: there is no channel %s; logged in for %s", strings.Join(unknown, ", "), strings.Join(channels, ", "))
	}
	return answer, err
}

// channels returns the channels of the body, and those that are unknown, quoted.
func (q *request) channels() (known, unknown []string, err error) {
	given := q.body.Values["channels"]
	if isNone(given) {
		return usualChannels, nil, nil
	}
	var names []string
	if json.Unmarshal(given, &names) != nil || len(names) > maxChannels {
		return nil, nil, refuse(codeInvalid, "channels: %s is not an array of at most %d texts; send the names of channels", shown(given), maxChannels)
	}
	if len(names) == 0 {
		return usualChannels, nil, nil
	}
	for _, name := range names {
		switch {
		case !slices.Contains(knownChannels, name):
			unknown = append(unknown, shown(fmt.Appendf(nil, "%q", name)))
		case !slices.Contains(known, name):
			known = append(known, name)
		}
	}
	if len(known) == 0 {
		return nil, nil, refuse(codeInvalid, "channels: there is no channel %s; use %s", strings.Join(unknown, ", "), strings.Join(knownChannels, ", "))
	}
	return known, unknown, nil
}

// shortText returns a text of the body that is kept with the presence.
func (q *request) shortText(field string) (string, error) {
	text, err := q.text(field)
	if err == nil && (len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl)) {
		err = refuse(codeInvalid, "%s: is longer than %d bytes or has control characters; send a shorter text", field, maxText)
	}
	return text, err
}

// setState sets the state of a channel; of all if that is empty. LoggedOut leaves them.
func (f *face) setState(q *request, state, channel string) (any, error) {
	if !stateName.MatchString(state) {
		return nil, refuse(codeInvalid, "operationName: %s is no name of a state; use 1 to 64 letters, digits, spaces and ._-", shown(q.body.Values["operationName"]))
	}
	return f.changePresence(q, func(a *presence.Agent) error {
		if !a.IsLoggedIn() || channel != "" && a.Channel(channel) == nil {
			return refuse(codeState, "you are not logged in for %s; send StartContactCenterSession first", orAny(channel))
		}
		if state == presence.LoggedOut {
			return leave(a, channel)
		}
		for i := range a.Channels {
			if c := &a.Channels[i]; channel == "" || c.Name == channel {
				c.State = state
				a.Concerns = append(a.Concerns, c.Name)
			}
		}
		return nil
	})
}

func orAny(channel string) string {
	if channel == "" {
		return "any channel"
	}
	return channel
}

// leave logs the agent out of a channel; of all if that is empty.
func leave(a *presence.Agent, channel string) error {
	a.Channels = slices.DeleteFunc(a.Channels, func(c presence.Channel) bool {
		leaves := channel == "" || c.Name == channel
		if leaves {
			a.Concerns = append(a.Concerns, c.Name)
		}
		return leaves
	})
	if len(a.Channels) == 0 {
		a.Place, a.LoginCode, a.Queue = "", "", ""
	}
	return nil
}

// changePresence changes the presence of the agent who asks, and answers when this replica has it.
func (f *face) changePresence(q *request, change func(*presence.Agent) error) (any, error) {
	_, err := f.Presence.Update(q.Context(), q.contactCenter, q.agent(), func(a *presence.Agent) error {
		a.Reference = string(q.reference)
		return change(a)
	})
	var refused *refusal
	switch {
	case err == nil:
		return q.done(), nil
	case errors.As(err, &refused):
		return nil, err
	case errors.Is(err, presence.ErrFull):
		return nil, problem.New(problem.Overloaded, "too many agents of the contact center have logged in within a day; there are places again as theirs end")
	}
	f.Log.WarnContext(q.Context(), "the presence of an agent cannot be changed", "error", err)
	p := problem.New(problem.Unavailable, "the bus, which has the presence of agents, does not answer")
	p.RetryAfter = time.Second
	return nil, p
}
