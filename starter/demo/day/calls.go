package day

import (
	"time"

	"segue/interaction"
)

// startCall starts an inbound call that waits in a queue.
func (s *script) startCall() (queue string) {
	queue = s.queue()
	s.start(interaction.ChannelInbound, s.caller().with(fields{"queue": queue, "business_process": processes[queue]}))
	if s.maybe(25) {
		s.do("dtmf", fields{"digits": "1#"})
	}
	s.inQueue(queue)
	if s.maybe(20) {
		s.do("queue_event", fields{"event": "position_announced", "position": s.random.IntN(9) + 1})
	}
	return queue
}

func handled(s *script) {
	s.startCall()
	agent := s.agent()
	s.offered(agent)
	s.talk(agent)
	s.closeCall(agent)
}

func abandoned(s *script) {
	s.startCall()
	s.pass(10*time.Second, 2*time.Minute)
	if s.maybe(25) {
		s.do("offer", fields{"agent": s.agent()})
	}
	if s.maybe(50) {
		s.do("abandon", nil)
		return
	}
	s.do("disconnect", fields{"reason": "hung up"})
}

func rejectedOnce(s *script) {
	s.startCall()
	first := s.agent()
	s.do("offer", fields{"agent": first})
	s.by(first, "reject", fields{"agent": first, "reason": "not my language"})
	s.pass(5*time.Second, 30*time.Second)
	second := s.agent(first)
	s.offered(second)
	s.talk(second)
	s.closeCall(second)
}

func rejectedForGood(s *script) {
	s.startCall()
	agent := s.agent()
	s.do("offer", fields{"agent": agent})
	s.by(agent, "reject", fields{"agent": agent, "reason": "nuisance caller", "final": true})
}

// missedOnce is a call that the first agent does not answer: the platform reports the missed segment.
func missedOnce(s *script) {
	s.startCall()
	first := s.agent()
	s.do("offer", fields{"agent": first})
	s.pass(25*time.Second, 35*time.Second)
	s.do("segment_change", fields{"segment": "missed", "agent": first})
	second := s.agent(first)
	s.offered(second)
	s.talk(second)
	s.closeCall(second)
}

func offeredToGroup(s *script) {
	s.startCall()
	first := s.agent()
	second := s.agent(first)
	third := s.agent(first, second)
	s.do("offer", fields{"agents": []fields{first, second, third}})
	if s.maybe(50) {
		s.by(first, "reject", fields{"agent": first})
	}
	s.by(second, "accept", fields{"agent": second})
	s.talk(second)
	s.closeCall(second)
}

func transferredToAgent(s *script) {
	s.startCall()
	giver := s.agent()
	receiver := s.agent(giver)
	s.offered(giver)
	s.talk(giver)
	wrapsUp := s.maybe(40)
	s.by(giver, "transfer", fields{"to": fields{"agent": receiver}, "mode": "single_step", "wrap_up": wrapsUp})
	if wrapsUp {
		s.by(giver, "set_disposition", fields{"code": "ESCALATED", "agent": giver})
		s.by(giver, "leave", fields{"agent": giver})
	}
	s.talk(receiver)
	s.closeCall(receiver)
}

func transferredByOffer(s *script) {
	s.startCall()
	giver := s.agent()
	receiver := s.agent(giver)
	s.offered(giver)
	s.talk(giver)
	s.by(giver, "transfer", fields{"to": fields{"agent": receiver}, "mode": "offer"})
	s.by(receiver, "accept", fields{"agent": receiver})
	s.talk(receiver)
	s.closeCall(receiver)
}

func transferredAfterConsulting(s *script) {
	s.startCall()
	giver := s.agent()
	expert := s.agent(giver)
	s.offered(giver)
	s.talk(giver)
	s.by(giver, "consult", fields{"to": fields{"agent": expert}})
	s.pass(15*time.Second, time.Minute)
	s.by(giver, "transfer", fields{"mode": "consult", "to": fields{"agent": expert}})
	s.talk(expert)
	s.closeCall(expert)
}

func transferredToQueue(s *script) {
	queue := s.startCall()
	giver := s.agent()
	s.offered(giver)
	s.talk(giver)
	other := s.otherQueue(queue)
	if s.maybe(50) {
		s.by(giver, "transfer", fields{"to": fields{"queue": other}})
	} else {
		s.by(giver, "place_in_queue", fields{"queue": other})
	}
	s.pass(5*time.Second, time.Minute)
	receiver := s.agent(giver)
	s.offered(receiver)
	s.talk(receiver)
	s.closeCall(receiver)
}

func transferredToNumber(s *script) {
	s.startCall()
	giver := s.agent()
	s.offered(giver)
	s.talk(giver)
	s.by(giver, "transfer", fields{"to": fields{"number": s.number()}})
	s.pass(30*time.Second, 3*time.Minute)
	s.do("disconnect", nil)
}

func consulted(s *script) {
	s.startCall()
	agent := s.agent()
	expert := s.agent(agent)
	s.offered(agent)
	s.by(agent, "consult", fields{"to": fields{"agent": expert}})
	s.pass(15*time.Second, time.Minute)
	if s.maybe(50) {
		s.by(agent, "retrieve", nil)
	} else {
		s.by(expert, "leave", fields{"agent": expert})
	}
	s.talk(agent)
	s.closeCall(agent)
}

func conference(s *script) {
	s.startCall()
	agent := s.agent()
	expert := s.agent(agent)
	s.offered(agent)
	s.talk(agent)
	s.by(agent, "consult", fields{"to": fields{"agent": expert}})
	s.by(agent, "conference", fields{"agent": expert})
	if s.maybe(30) {
		s.by(agent, "conference", fields{"party": s.number()})
	}
	s.pass(20*time.Second, 2*time.Minute)
	s.by(expert, "leave", fields{"agent": expert})
	s.talk(agent)
	s.closeCall(agent)
}

// overflowed is a call that waits too long in its queue: the platform reports the overflow segment.
func overflowed(s *script) {
	s.startCall()
	s.pass(3*time.Minute, 10*time.Minute)
	s.do("segment_change", fields{"segment": "overflow"})
}

func canceled(s *script) {
	s.startCall()
	s.do("cancel", fields{"reason": "test call"})
}

func previewed(s *script) {
	agent := s.agent()
	s.start(interaction.ChannelOutbound, s.caller().with(fields{"destination": s.number(), "business_process": "retail"}))
	s.do("offer", fields{"agent": agent, "preview": true})
	s.pass(5*time.Second, 40*time.Second)
	s.by(agent, "accept", fields{"agent": agent})
	s.pass(4*time.Second, 20*time.Second)
	s.do("connect", nil)
	s.talk(agent)
	s.closeCall(agent)
}

// predictive is an outbound call that reaches the customer before an agent is selected.
func predictive(s *script) {
	s.start(interaction.ChannelOutbound, s.caller().with(fields{"destination": s.number(), "business_process": "retail"}))
	s.do("dial", nil)
	s.pass(4*time.Second, 20*time.Second)
	s.do("connect", nil)
	if s.maybe(15) {
		s.do("disconnect", fields{"reason": "no agent was free in time"})
		return
	}
	agent := s.agent()
	s.offered(agent)
	s.talk(agent)
	s.closeCall(agent)
}

func dialedByAgent(s *script) {
	agent := s.agent()
	s.start(interaction.ChannelOutbound, s.caller().with(fields{"agent": agent}))
	s.by(agent, "dial", fields{"agent": agent, "destination": s.number()})
	s.pass(4*time.Second, 20*time.Second)
	s.do("connect", nil)
	s.talk(agent)
	s.closeCall(agent)
}

func notReached(s *script) {
	s.start(interaction.ChannelOutbound, s.caller().with(fields{"destination": s.number(), "business_process": "retail"}))
	s.do("dial", nil)
	s.pass(15*time.Second, 40*time.Second)
	if s.maybe(30) {
		s.do("dial", nil)
		s.pass(15*time.Second, 40*time.Second)
	}
	s.do("disconnect", fields{"reason": []string{"busy", "no answer", "answering machine"}[s.random.IntN(3)]})
}

func cloudRouted(s *script) {
	s.start(interaction.ChannelCloudRouting, s.caller())
	s.do("connect", nil)
	s.pass(time.Minute, 5*time.Minute)
	s.do("disconnect", nil)
}

func trackedNumber(s *script) {
	s.start(interaction.ChannelTrackNumber, s.caller())
	s.do("connect", nil)
	s.pass(time.Minute, 5*time.Minute)
	s.do("disconnect", nil)
}
