package interaction

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
)

// Engaging a web visitor (GWE Engagement API), and drafting a reply.

// The results of an engagement; rejected counts as declined.
const (
	engagementAccepted = "accepted"
	engagementDeclined = "declined"
	engagementTimedOut = "timeout"
	engagementFailed   = "failed"
)

func (r *record) engagement() Engagement {
	if r.Engagement == nil {
		return Engagement{}
	}
	return *r.Engagement
}

// mayChange refuses to invite, and to withdraw, once the visitor has accepted: an answer counts.
func (e Engagement) mayChange() error {
	if e.Result == engagementAccepted {
		return unmet("the visitor has accepted the invitation")
	}
	return nil
}

func engage(s *step) error {
	engagement := s.engagement()
	if err := engagement.mayChange(); err != nil {
		return err
	}
	engagement.Profile, engagement.CancelData, engagement.Result, engagement.EndedAt = s.cmd.Body.(Engage).Profile, nil, "", nil
	engagement.Attempts++
	s.Engagement, s.attempt = &engagement, engagement.Attempts
	s.State, s.Since = StateEngaging, s.now
	s.fireOfAttempt(MomentEngage)
	s.Engaged = s.Sequence
	return nil
}

// fireOfAttempt adds an event with the number of the attempt that it is about.
func (s *step) fireOfAttempt(moment Moment) {
	s.addEvent(Event{Moment: moment, Agent: s.agent(s.Owner), Fields: s.fieldsWith(map[string]any{"attempt": float64(s.Engagement.Attempts)})})
}

// noteEndOfAttempt notes when the attempt ended that was open before the command.
func (s *step) noteEndOfAttempt(before State) {
	if before != StateEngaging || s.State == StateEngaging || s.Engagement == nil {
		return
	}
	engagement := *s.Engagement
	engagement.EndedAt = new(s.Clock)
	s.Engagement = &engagement
}

func noEngage(s *step) error {
	engagement := s.engagement()
	if err := engagement.mayChange(); err != nil {
		return err
	}
	engagement.CancelData = s.cmd.Body.(NoEngage).CancelData
	s.Engagement = &engagement
	s.fireOfAttempt(MomentNoEngage)
	return s.finish(OutcomeNotEngaged)
}

func engagementResult(s *step) error {
	body := s.cmd.Body.(EngagementResult)
	engagement := s.engagement()
	if err := s.isOfOpenAttempt(body); err != nil {
		return err
	}
	engagement.Result = body.Result
	if body.Result == "rejected" {
		engagement.Result = engagementDeclined
	}
	s.Engagement = &engagement
	s.fire(MomentEngagementResult)
	if engagement.Result != engagementAccepted {
		return s.finish(OutcomeNotEngaged)
	}
	s.becomeChosenChannel(body.Channel)
	switch {
	case body.Agent != nil:
		if body.Queue != "" {
			s.joinQueue(body.Queue)
		}
		return s.giveTo(*body.Agent)
	case body.Queue != "":
		s.enqueue(body.Queue, dequeuedRequeued, nil)
	default:
		s.State = StateStarted
	}
	return nil
}

// isOfOpenAttempt refuses the result of another attempt than the open one. An id that is started again has
// the same numbers, so the start is compared, too.
func (s *step) isOfOpenAttempt(body EngagementResult) error {
	switch open := s.Engagement.Attempts; {
	case body.Attempt != 0 && body.Attempt != open:
		return unmet(fmt.Sprintf("it is of attempt %d, and attempt %d is open", body.Attempt, open))
	case body.Started != nil && !body.Started.Equal(s.StartedAt):
		return unmet("it is of an interaction with this id that started at " + stamp(*body.Started))
	}
	return nil
}

// EngagementRefused returns the command for an attempt whose callback the backend has refused: its final
// 400 counts as the result failed. The attempt is named by the sequence number of its event "engage". It
// returns false if that attempt is not open.
func (i *Interaction) EngagementRefused(engaged int64) (Command, bool) {
	if i.r.State != StateEngaging || i.r.Engaged != engaged {
		return Command{}, false
	}
	attempt := i.r.engagement().Attempts
	return Command{
		Name: "engagement_result", Envelope: Envelope{EventID: fmt.Sprintf("\nengagement refused %d", engaged)}, // like no event_id
		Fields: map[string]any{"result": engagementFailed, "attempt": float64(attempt)},
		Body:   EngagementResult{Result: engagementFailed, Attempt: attempt},
	}, true
}

// becomeChosenChannel makes the web visit the chat or callback that the visitor chose.
func (s *step) becomeChosenChannel(chosen string) {
	profile := payload(s.Engagement.Profile)
	for _, name := range []string{"engagement_type", "channel", "channelType"} {
		if chosen == "" {
			chosen = profile.text(name)
		}
	}
	s.Channel = ChannelChat
	if chosen == "webcallback" {
		s.Channel, s.Direction = ChannelOutbound, "outbound"
	}
}

func engagementTimeout(s *step) error {
	engagement := s.engagement()
	engagement.Result = engagementTimedOut
	s.Engagement = &engagement
	s.addEvent(Event{Moment: MomentEngagementResult, Fields: s.fieldsWith(map[string]any{"result": engagementTimedOut})})
	return s.finish(OutcomeNotEngaged)
}

// draftID returns the id of an interaction's nth draft. If the interaction's own id leaves
// no room for the number, a digest replaces the end of the id.
func draftID(contactCenter, id string, n int) string {
	number := fmt.Sprintf("~%d", n)
	room := min(maxID, MaxIdentity-len(contactCenter))
	if len(id)+len(number) <= room {
		return id + number
	}
	sum := sha256.Sum256([]byte(id))
	end := "~" + base64.RawURLEncoding.EncodeToString(sum[:12]) + number
	return id[:room-len(end)] + end
}

// payloadID returns an event id as a payload may have it. Another one, such as that of a command
// which its source_sequence identifies, is dropped.
func payloadID(id string) string {
	if eventID.check(id) != nil {
		return ""
	}
	return id
}

// replyFields returns the fields of a reply that its draft gets; none if they are larger than the
// bounds of a start leave room for.
func replyFields(given map[string]any) map[string]any {
	fields := maps.Clone(given)
	delete(fields, "user_data")
	if len(fields) == 0 || tooLarge(fields) != "" {
		return nil
	}
	return fields
}

// reply starts the outbound draft of an answer (GWS Reply, ReplyAll: "new email id, state
// Composing").
func reply(s *step) error {
	body := s.cmd.Body.(Reply)
	id := draftID(s.ContactCenter, s.ID, len(s.Children)+1)
	s.Children = append(s.Children[:len(s.Children):len(s.Children)], id)
	at := s.at
	s.children = append(s.children, Start{
		ID: id, ContactCenter: s.ContactCenter, Channel: s.Channel, Direction: "outbound", Parent: s.ID, Draft: true,
		Agent: s.agent(s.Owner), Destination: s.ANI, Customer: s.Customer, UserData: body.UserData, At: &at,
		EventID: payloadID(s.cmd.EventID), By: s.cmd.By, Reply: replyFields(s.cmd.Fields),
	})
	return nil
}
