package day

import (
	"fmt"
	"time"

	"segue/interaction"
)

// startMessage starts a chat, an email or a text message that waits in a queue.
func (s *script) startMessage(channel interaction.Channel) (queue string) {
	queue = s.queue()
	s.start(channel, fields{
		"queue": queue, "business_process": processes[queue],
		"ani":       fmt.Sprintf("visitor%d@example.com", s.random.IntN(1000)),
		"customer":  fields{"name": customers[s.random.IntN(len(customers))], "tier": s.tier()},
		"user_data": fields{"subject": s.topic()},
	})
	s.inQueue(queue)
	return queue
}

func chat(s *script) {
	s.startMessage(interaction.ChannelChat)
	agent := s.agent()
	s.offered(agent)
	s.talk(agent)
	s.closeCall(agent)
}

func chatTransferred(s *script) {
	s.startMessage(interaction.ChannelChat)
	giver := s.agent()
	receiver := s.agent(giver)
	s.offered(giver)
	s.talk(giver)
	s.by(giver, "transfer", fields{"to": fields{"agent": receiver}})
	s.talk(receiver)
	s.closeCall(receiver)
}

func chatAbandoned(s *script) {
	s.startMessage(interaction.ChannelChat)
	s.do("queue_event", fields{"event": "typing"})
	s.do("disconnect", fields{"reason": "window closed"})
}

// startVisit starts the interaction of a visitor of the web site.
func (s *script) startVisit() {
	s.start(interaction.ChannelWeb, fields{
		"native_id": fmt.Sprintf("%08X", s.random.Uint32()),
		"customer":  fields{"tier": s.tier()},
		"user_data": fields{"page": "/contracts", "language": "en"},
	})
}

// profile returns what the engagement logic knows of the visitor.
func (s *script) profile(visitor, kind string) fields {
	return fields{
		"ixnId": s.id, "visitID": visitor, "pageID": fmt.Sprintf("%016X", s.random.Uint64()),
		"languageCode": "en-US", "timezoneOffset": -3600000, "engagement_type": kind,
	}
}

func (s *script) visitor() string { return fmt.Sprintf("v-%08x", s.random.Uint32()) }

func engaged(s *script) {
	s.startVisit()
	s.do("engage", fields{"ixnProfile": s.profile(s.visitor(), "chat")})
	s.pass(3*time.Second, 25*time.Second)
	queue := s.queue()
	s.do("engagement_result", fields{"result": "accepted", "queue": queue, "channel": "chat"})
	s.pass(3*time.Second, 30*time.Second)
	agent := s.agent()
	s.offered(agent)
	s.talk(agent)
	s.closeCall(agent)
}

func engagedToCallBack(s *script) {
	s.startVisit()
	s.do("engage", fields{"ixnProfile": s.profile(s.visitor(), "webcallback")})
	agent := s.agent()
	s.do("engagement_result", fields{"result": "accepted", "agent": agent, "channel": "webcallback"})
	s.talk(agent)
	s.closeCall(agent)
}

func engagementDeclined(s *script) {
	s.startVisit()
	s.do("engage", fields{"ixnProfile": s.profile(s.visitor(), "chat")})
	s.pass(3*time.Second, 50*time.Second)
	s.do("engagement_result", fields{"result": []string{"declined", "timeout", "rejected"}[s.random.IntN(3)]})
}

func engagedAtSecondAttempt(s *script) {
	s.startVisit()
	visitor := s.visitor()
	s.do("engage", fields{"ixnProfile": s.profile(visitor, "chat")})
	s.pass(30*time.Second, 50*time.Second)
	s.do("engage", fields{"ixnProfile": s.profile(visitor, "chat")})
	agent := s.agent()
	s.do("engagement_result", fields{"result": "accepted", "agent": agent})
	s.talk(agent)
	s.closeCall(agent)
}

// notEngaged is a visitor whom pacing excludes, because no agent would be available.
func notEngaged(s *script) {
	s.startVisit()
	s.do("noengage", fields{"cancelData": fields{"ixnId": s.id, "visitID": s.visitor(), "reason": "pacing", "reactiveState": 0.1}})
}

func engagementWithdrawn(s *script) {
	s.startVisit()
	visitor := s.visitor()
	s.do("engage", fields{"ixnProfile": s.profile(visitor, "chat")})
	s.pass(2*time.Second, 10*time.Second)
	s.do("noengage", fields{"cancelData": fields{"ixnId": s.id, "visitID": visitor, "reason": "the visitor has left"}})
}

// RefusedVisitor is the prefix of the visitIDs that the engagement backend of the demo refuses.
const RefusedVisitor = "refuse-"

// engagementRefused is a visitor whom the backend refuses with 400: the platform reports the failure.
func engagementRefused(s *script) {
	s.startVisit()
	s.do("engage", fields{"ixnProfile": s.profile(RefusedVisitor+s.visitor(), "chat")})
	s.pass(1*time.Second, 5*time.Second)
	s.do("engagement_result", fields{"result": "failed"})
}

func email(s *script) {
	s.startMessage(interaction.ChannelEmail)
	agent := s.agent()
	s.offered(agent)
	s.pass(2*time.Minute, 15*time.Minute)
	if s.maybe(40) {
		s.by(agent, "set_attributes", fields{"comment": "answered with template 7"})
	}
	s.finish(agent)
}

// emailInWorkbin is an email that is placed in a workbin, accepted again, and sometimes transferred to another queue.
func emailInWorkbin(s *script) {
	queue := s.startMessage(interaction.ChannelEmail)
	agent := s.agent()
	s.offered(agent)
	s.pass(time.Minute, 5*time.Minute)
	s.by(agent, "place_in_workbin", fields{"workbin": string(agent["id"].(string)) + "-drafts"})
	s.pass(20*time.Minute, 90*time.Minute)
	s.by(agent, "accept", fields{"agent": agent})
	s.pass(time.Minute, 5*time.Minute)
	if s.maybe(40) {
		s.by(agent, "place_in_queue", fields{"queue": s.otherQueue(queue)})
		agent = s.agent(agent)
		s.offered(agent)
	}
	s.finish(agent)
}

// emailDraft is an outbound email that an agent sends or cancels.
func emailDraft(s *script) {
	agent := s.agent()
	s.start(interaction.ChannelEmail, fields{
		"draft": true, "direction": "outbound", "agent": agent,
		"destination": fmt.Sprintf("customer%d@example.com", s.random.IntN(1000)),
	})
	s.by(agent, "attach_user_data", fields{"user_data": fields{"subject": "Re: " + s.topic()}})
	s.pass(time.Minute, 5*time.Minute)
	if s.maybe(50) {
		s.by(agent, "cancel", nil)
		return
	}
	s.by(agent, "set_disposition", fields{"code": "RESOLVED", "agent": agent})
	s.by(agent, "complete", nil)
}

func textMessage(s *script) {
	s.startMessage(interaction.ChannelSMS)
	agent := s.agent()
	s.offered(agent)
	s.pass(time.Minute, 5*time.Minute)
	s.finish(agent)
}
