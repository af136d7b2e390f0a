package desktop

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"segue/excerpt"
	"segue/gateway/desktop/view"
	"segue/gateway/problem"
)

// on is the kind of object that a command is for.
type on int

const (
	// onNothing: the target says nothing, and there need be no session.
	onNothing on = iota
	onSession
	// onAnyGroup: the session, or a channel group.
	onAnyGroup
	onGroup
	onChannel
	onInteraction
	onConversation
)

// String names the kind as refusals do.
func (kind on) String() string {
	switch kind {
	case onSession:
		return "the session"
	case onAnyGroup:
		return "the session or a channel group"
	case onGroup:
		return "a channel group"
	case onChannel:
		return "a channel"
	case onInteraction:
		return "an interaction"
	case onConversation:
		return "a conversation"
	}
	return "nothing"
}

// handler is a command of a client. do returns the data of the answer.
type handler struct {
	on on
	do func(s *Server, ctx context.Context, q *request) (any, error)
}

// handlers are the commands, without the part ".request" that clients may write after the object.
var handlers = map[string]handler{
	"prepareSession": {onNothing, (*Server).prepare},
	"getServices":    {onNothing, (*Server).echo},
	"bind":           {onNothing, (*Server).echo},

	"session.logout":          {onSession, (*Server).logout},
	"session.addchannel":      {onAnyGroup, (*Server).addChannel},
	"session.addchannelgroup": {onSession, (*Server).addGroup},

	"channel.dial":                 {onChannel, (*Server).dial},
	"channel.incontact.getscripts": {onChannel, (*Server).scripts},

	"interaction.accept":            {onInteraction, giving(accepting)},
	"interaction.reject":            {onInteraction, giving(rejecting)},
	"interaction.complete":          {onInteraction, giving(completing)},
	"interaction.setdisposition":    {onInteraction, (*Server).dispose},
	"interaction.consultdial":       {onInteraction, giving(consulting)},
	"interaction.consulttransfer":   {onInteraction, giving(transferring)},
	"interaction.consultconference": {onInteraction, giving(conferring)},
	"interaction.incontact.signal":  {onInteraction, (*Server).signal},

	"conversation.answer":   {onConversation, giving(answering)},
	"conversation.hold":     {onConversation, giving(holding)},
	"conversation.retrieve": {onConversation, giving(retrieving)},
	"conversation.hangup":   {onConversation, giving(hangingUp)},
}

// handlerOf returns the command with a name in either spelling.
func handlerOf(command string) (handler, bool) {
	h, isKnown := handlers[shortName(command)]
	return h, isKnown
}

// shortName returns the name of a command without the part that clients may leave out.
func shortName(command string) string {
	kind, rest, _ := strings.Cut(command, ".")
	if short, isLong := strings.CutPrefix(rest, "request."); isLong {
		return kind + "." + short
	}
	return command
}

// handle does a request and returns its answer.
func (s *Server) handle(ctx context.Context, q *request) (answer []byte) {
	defer func() {
		if failure := recover(); failure != nil {
			s.log.Error("A request of a desktop panicked", "type", fmt.Sprintf("%T", failure), "stack", string(debug.Stack()))
			answer = q.failed(problem.New(problem.Internal, ""))
		}
	}()
	data, err := s.do(ctx, q)
	switch data.(type) {
	case nil:
		return q.failed(s.refusalOf(q, err))
	case confirm:
		frame := q.answer("confirm")
		frame.Message, frame.Original = confirmMessage, q.raw
		return encode(frame)
	}
	return q.succeeded(data)
}

func (s *Server) do(ctx context.Context, q *request) (any, error) {
	h, isKnown := handlerOf(q.command)
	if !isKnown {
		return nil, problem.New(problem.UnknownCommand, fmt.Sprintf("command: %s: there is no such command; see the table of commands.", excerpt.Of(string(q.fields.Values["command"]), maxShown)))
	}
	if err := q.read(); err != nil {
		return nil, err
	}
	// What has arrived is done, also if the WebSocket breaks meanwhile: the next session waits for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Deadline)
	defer cancel()
	if h.on != onNothing {
		if q.session == nil {
			return nil, noSession()
		}
		end, isCurrent := s.begin(q.session)
		if !isCurrent {
			return nil, noSession()
		}
		defer end()
		if err := s.find(q, h.on); err != nil {
			return nil, err
		}
	}
	data, err := h.do(s, ctx, q)
	if err != nil {
		return nil, err
	}
	return data, nil
}

func noSession() *problem.Problem {
	return problem.New(problem.Unauthenticated, "There is no session; send prepareSession.")
}

// find finds the object that the target of a request names.
func (s *Server) find(q *request, kind on) error {
	path, err := q.path()
	if err != nil {
		return err
	}
	if path[0] != q.session.id {
		return noObject(q)
	}
	path = path[1:]
	if len(path) == 0 {
		if kind == onSession || kind == onAnyGroup {
			return nil
		}
		return wrongObject(q, onSession, kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, isFound := q.session.seat.desktop.Find(path)
	if !isFound && found.Conversation == "" && kind == onInteraction {
		_, isFound = q.session.seat.past[found.Interaction] // the interaction itself says why not
	}
	if !isFound {
		return noObject(q)
	}
	q.found = found
	if is := kindOf(found); is != kind && !(is == onGroup && kind == onAnyGroup) {
		return wrongObject(q, is, kind)
	}
	return nil
}

func kindOf(f view.Found) on {
	switch {
	case f.Conversation != "":
		return onConversation
	case f.Interaction != "":
		return onInteraction
	case f.ChannelID != "":
		return onChannel
	}
	return onGroup
}
