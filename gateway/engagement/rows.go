package engagement

import (
	"bytes"
	"encoding/json"
	"time"

	"segue/contract"
	"segue/interaction"
)

// effect is what a request does.
type effect int

// The effects of a request.
const (
	refuse effect = iota
	repeat        // nothing: it was done before
	command
	start // the interaction and the command as one
)

// again is how long after an attempt the same profile is a repeat of it.
const again = time.Minute

// effectOf returns what a request does to an interaction in a state; nil is an interaction that does not
// exist. The first row that fits decides.
func (q *request) effectOf(s *contract.State, now time.Time) effect {
	if q.kind == noengage {
		return noengageEffect(s)
	}
	switch {
	case s != nil && q.isRepeat(s, now):
		return repeat
	case s == nil, s.State == interaction.StateCompleted && q.byVisit:
		return start
	case isUnanswered(s):
		return command
	}
	return refuse
}

// isUnanswered reports whether a visitor may be invited, or an invitation withdrawn. An accepted invitation that led
// neither into a queue nor to an agent yet has started, too.
func isUnanswered(s *contract.State) bool {
	return s.State == interaction.StateEngaging ||
		s.State == interaction.StateStarted && (s.Engagement == nil || s.Engagement.Result != accepted)
}

func noengageEffect(s *contract.State) effect {
	switch {
	case s == nil:
		return start
	case isUnanswered(s):
		return command
	case s.State == interaction.StateCompleted && s.Outcome == interaction.OutcomeNotEngaged:
		return repeat
	}
	return refuse
}

// isRepeat reports whether the profile is that of the open attempt, or of one that has just ended: a
// visitor is never invited twice.
func (q *request) isRepeat(s *contract.State, now time.Time) bool {
	if s.Engagement == nil || s.Engagement.Attempts == 0 {
		return false
	}
	profile, err := json.Marshal(s.Engagement.Profile)
	if err != nil || !bytes.Equal(profile, q.canonical) {
		return false
	}
	isWithoutTimer := s.State == interaction.StateEngaging && s.EngagedUntil == nil
	return isWithoutTimer || now.Before(endOf(s).Add(again))
}

// endOf returns when the last attempt has ended, or when its timer ends it: in an interaction that was terminated, it stays
// open. The state of an interaction that an earlier version has carried over does not say so: there, an accepted invitation
// led into a queue or to an agent at once.
func endOf(s *contract.State) time.Time {
	switch {
	case s.State == interaction.StateEngaging && s.EngagedUntil != nil:
		return *s.EngagedUntil
	case s.Engagement.EndedAt != nil:
		return *s.Engagement.EndedAt
	case s.Engagement.Result == accepted && !s.EnqueuedAt.IsZero():
		return s.EnqueuedAt
	case s.Engagement.Result == accepted && !s.ConnectedAt.IsZero():
		return s.ConnectedAt
	case s.EndedAt != nil:
		return *s.EndedAt
	}
	return s.StartedAt
}

const accepted = "accepted"
