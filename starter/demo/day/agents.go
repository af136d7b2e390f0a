package day

import (
	"fmt"
	"time"
)

// The agents, queues, disposition codes and customers of the day.
var (
	agents = []fields{
		{"id": "amy", "name": "Amy Adler"}, {"id": "ben", "name": "Ben Osei"}, {"id": "cleo", "name": "Cleo Marín"},
		{"id": "dev", "name": "Dev Patel"}, {"id": "eva", "name": "Eva Lindqvist"}, {"id": "finn", "name": "Finn O'Hara"},
		{"id": "gia", "name": "Gia Rossi"}, {"id": "hugo", "name": "Hugo Weiß"}, {"id": "ines", "name": "Inês Duarte"},
		{"id": "jun", "name": "佐藤 純"},
	}
	queues    = []string{"sales", "support", "billing", "retention"}
	processes = map[string]string{"sales": "retail", "support": "care", "billing": "care", "retention": "retail"}
	codes     = []string{"SOLD", "RESOLVED", "CALL_BACK", "NOT_INTERESTED", "ESCALATED"}
	customers = []string{"Ada Byron", "Grace Hopper", "Alan Turing", "Zoë Ångström", "Miguel de la Cruz", "李 小龙"}
)

// agent returns a random agent other than the given ones.
func (s *script) agent(but ...fields) fields {
	for {
		picked := agents[s.random.IntN(len(agents))]
		taken := false
		for _, other := range but {
			taken = taken || other["id"] == picked["id"]
		}
		if !taken {
			return picked
		}
	}
}

func (s *script) queue() string { return queues[s.random.IntN(len(queues))] }

// otherQueue returns a random queue other than the given one.
func (s *script) otherQueue(but string) string {
	for {
		if q := s.queue(); q != but {
			return q
		}
	}
}

func (s *script) code() string { return codes[s.random.IntN(len(codes))] }

func (s *script) number() string { return fmt.Sprintf("+1555%07d", s.random.IntN(10_000_000)) }

// caller returns what a platform knows of the customer at the start.
func (s *script) caller() fields {
	return fields{
		"ani": s.number(), "dnis": "+18005550" + fmt.Sprintf("%03d", s.random.IntN(8)),
		"native_id": fmt.Sprintf("%08x", s.random.Uint32()),
		"customer":  fields{"name": customers[s.random.IntN(len(customers))], "tier": s.tier()},
		"user_data": fields{"campaign": "autumn", "language": []string{"en", "es", "de"}[s.random.IntN(3)]},
	}
}

func (s *script) tier() string { return []string{"basic", "basic", "silver", "gold"}[s.random.IntN(4)] }

// with returns the fields with more added.
func (f fields) with(more fields) fields {
	all := fields{}
	for name, value := range f {
		all[name] = value
	}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// talk adds the conversation of agent and customer, with holds and attached data.
func (s *script) talk(agent fields) {
	s.pass(20*time.Second, 3*time.Minute)
	if s.maybe(35) {
		s.by(agent, "hold", nil)
		s.pass(5*time.Second, time.Minute)
		s.by(agent, "retrieve", nil)
	}
	if s.maybe(50) {
		s.by(agent, "attach_user_data", fields{"user_data": fields{"topic": s.topic(), "order": s.random.IntN(90000) + 10000}})
	}
	if s.maybe(15) {
		s.by(agent, "update_user_data", fields{"user_data": fields{"language": "fr"}})
	}
	if s.maybe(10) {
		s.by(agent, "delete_user_data", fields{"keys": []string{"campaign"}})
	}
	if s.maybe(10) {
		s.by(agent, "script_signal", fields{"name": "offer_shown", "p1": "autumn", "p2": s.code()})
	}
	if s.maybe(8) {
		s.do("signal_added", fields{"name": "sentiment", "tooltip": "the customer is upset", "p1": "-0.7"})
		s.do("signal_removed", fields{"name": "sentiment"})
	}
	s.pass(10*time.Second, 2*time.Minute)
}

func (s *script) topic() string {
	return []string{"delivery", "invoice", "refund", "new contract", "a “quoted” <b>remark</b> & more"}[s.random.IntN(5)]
}

// inQueue places the interaction in a queue, where it waits.
func (s *script) inQueue(queue string) {
	s.do("place_in_queue", fields{"queue": queue})
	s.pass(3*time.Second, 90*time.Second)
}

// offered offers the interaction to an agent, who accepts.
func (s *script) offered(agent fields) {
	s.do("offer", fields{"agent": agent})
	s.by(agent, "accept", fields{"agent": agent})
}

// closeCall ends a call: the customer or the agent hangs up, and the agent wraps up.
func (s *script) closeCall(agent fields) {
	if s.maybe(60) {
		s.do("disconnect", nil)
	} else {
		s.by(agent, "disconnect", fields{"reason": "done"})
	}
	if s.maybe(12) {
		s.do("survey", fields{"answers": fields{"nps": s.random.IntN(11), "solved": s.maybe(80)}})
	}
	s.pass(5*time.Second, 45*time.Second)
	s.finish(agent)
}

// finish completes the interaction with a disposition, which is set before or by the same command.
func (s *script) finish(agent fields) {
	if s.maybe(60) {
		s.by(agent, "set_disposition", fields{"code": s.code(), "agent": agent, "notes": s.topic()})
		s.by(agent, "complete", fields{"agent": agent})
		return
	}
	s.by(agent, "complete", fields{"agent": agent, "disposition": fields{"code": s.code()}})
}
