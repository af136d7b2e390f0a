package day

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"segue/interaction"
)

// addBadLines inserts bad lines among the good ones: badShare percent, with the same number of each kind.
func addBadLines(scripts []*script, random *rand.Rand) {
	good := 0
	for _, s := range scripts {
		good += len(s.lines)
	}
	wanted := good * badShare / (100 - badShare)
	wanted += (len(BadKinds) - wanted%len(BadKinds)) % len(BadKinds)
	for n := 0; n < wanted; {
		if scripts[random.IntN(len(scripts))].addBadLine(BadKinds[n%len(BadKinds)]) {
			n++
		}
	}
}

// addBadLine inserts one line of a kind at a random index. It returns false if the script has no index for one.
func (s *script) addBadLine(kind Kind) bool {
	if kind == AfterTheEnd {
		return s.insert(len(s.lines), kind)
	}
	// Between the start and the line that completes the interaction.
	end := s.endsAt()
	if end < 2 {
		return false
	}
	return s.insert(1+s.random.IntN(end-1)+1, kind)
}

// endsAt returns the index of the line that completes the interaction.
func (s *script) endsAt() int {
	end := len(s.lines)
	s.replay(len(s.lines), func(index int, machine *interaction.Interaction) bool {
		if machine.Completed() {
			end = index
		}
		return !machine.Completed()
	})
	return end
}

// insert inserts a line of a kind before the line at that index. It returns false if no line of the kind is possible.
func (s *script) insert(index int, kind Kind) bool {
	index = min(index, len(s.lines))
	if kind != AfterTheEnd {
		index = min(index, s.endsAt())
	}
	machine := s.stateBefore(index)
	if machine == nil {
		return false
	}
	at := s.lines[index-1].At
	if index < len(s.lines) {
		at = at.Add(s.lines[index].At.Sub(at) / 2).Truncate(time.Millisecond)
	} else {
		at = at.Add(30 * time.Second)
	}
	command, text := s.bad(kind, index, at, machine)
	if text == nil {
		return false
	}
	line := Line{Kind: kind, Interaction: s.id, Scenario: s.scenario, At: at, Text: text}
	s.lines = slices.Insert(s.lines, index, line)
	s.commands = slices.Insert(s.commands, index, command)
	return true
}

// stateBefore returns the interaction before the line at that index.
func (s *script) stateBefore(index int) *interaction.Interaction {
	return s.replay(index, func(int, *interaction.Interaction) bool { return true })
}

// replay applies the good lines before that index to a new interaction, until goOn returns false.
func (s *script) replay(before int, goOn func(index int, machine *interaction.Interaction) bool) *interaction.Interaction {
	var machine *interaction.Interaction
	for index, line := range s.lines[:before] {
		if line.Kind != Good {
			continue
		}
		if machine == nil {
			machine = opened(line.Text, s.id)
		} else if err := apply(machine, s.commands[index], line.Text); err != nil {
			panic(fmt.Sprintf("%s line %d: %v", s.id, index, err))
		}
		if !goOn(index, machine) {
			break
		}
	}
	return machine
}

// bad returns a line of a kind. It panics if the state machine does not reject a malformed one.
func (s *script) bad(kind Kind, index int, at time.Time, machine *interaction.Interaction) (command string, text []byte) {
	switch kind {
	case Unknown:
		command = choose(s.random, []string{"hangup", "anwser", "trasnfer", "place_in_que", "set_dispositon", "self_destruct"})
		text = s.encodeAt(command, at, fields{"agent": s.agent()})
	case WrongType:
		wrong := choose(s.random, wrongTypes)
		command, text = wrong.command, s.encodeAt(wrong.command, at, wrong.with)
	case Illegal:
		return s.illegal(at, machine, illegalBeforeTheEnd)
	case AfterTheEnd:
		return s.illegal(at, machine, illegalAfterTheEnd)
	case Duplicate:
		return s.repeat(index)
	}
	var invalid *interaction.InvalidError
	if err := apply(machine, command, text); !errors.As(err, &invalid) {
		panic(fmt.Sprintf("%s: %s is not malformed: %v", s.id, text, err))
	}
	return command, text
}

func (s *script) encodeAt(command string, at time.Time, with fields) []byte {
	s.events++
	return encode(s.id, command, fmt.Sprintf("%s-%d", s.id, s.events), at, with)
}

type candidate struct {
	command string
	with    fields
}

var wrongTypes = []candidate{
	{"offer", fields{"agent": true}},
	{"offer", fields{}},
	{"accept", fields{"agent": []int{1, 2}}},
	{"place_in_queue", fields{"queue": nil}},
	{"place_in_queue", fields{"queue": fields{"name": "sales"}}},
	{"transfer", fields{"to": "bea", "mode": "blind"}},
	{"set_disposition", fields{"code": true}},
	{"attach_user_data", fields{"user_data": "gold"}},
	{"survey", fields{"answers": []string{"yes"}}},
	{"segment_change", fields{"segment": "having_coffee"}},
	{"dtmf", fields{"digits": "one"}},
	{"hold", fields{"by": "bea"}},
	{"complete", fields{"disposition": []string{"SOLD"}}},
}

// illegalBeforeTheEnd are commands that are illegal in some states.
var illegalBeforeTheEnd = []candidate{
	{"accept", fields{"agent": "nobody"}},
	{"retrieve", fields{}},
	{"hold", fields{"agent": "nobody"}},
	{"conference", fields{"agent": "nobody"}},
	{"engagement_result", fields{"result": "accepted"}},
	{"abandon", fields{}},
	{"connect", fields{}},
	{"consult", fields{"to": fields{"agent": "nobody"}}},
	{"transfer", fields{"to": fields{"queue": "sales"}, "by": fields{"id": "nobody", "role": "agent"}}},
	{"place_in_workbin", fields{"workbin": "misc"}},
}

// illegalAfterTheEnd are commands that are illegal in a completed interaction.
var illegalAfterTheEnd = []candidate{
	{"offer", fields{"agent": "ben"}},
	{"accept", fields{"agent": "ben"}},
	{"hold", fields{"agent": "ben"}},
	{"disconnect", fields{}},
	{"complete", fields{"disposition": fields{"code": "SOLD"}}},
	{"place_in_queue", fields{"queue": "sales"}},
	{"dtmf", fields{"digits": "9"}},
}

// illegal returns a well-formed line that is illegal in the interaction's state, or no text if there is none.
func (s *script) illegal(at time.Time, machine *interaction.Interaction, candidates []candidate) (string, []byte) {
	for _, n := range s.random.Perm(len(candidates)) {
		c := candidates[n]
		text := encode(s.id, c.command, fmt.Sprintf("%s-%d", s.id, s.events+1), at, c.with)
		decoded, err := interaction.Decode(c.command, payloadOf(text, nil))
		if err != nil {
			panic(err)
		}
		var refused *interaction.IllegalError
		if errors.As(machine.Check(decoded), &refused) {
			s.events++
			return c.command, text
		}
	}
	return "", nil
}

// repeat returns an earlier good line again, as a platform sends it that has missed the acknowledgement.
func (s *script) repeat(index int) (string, []byte) {
	for range 20 {
		earlier := 1 + s.random.IntN(max(1, index-1))
		if earlier < index && s.lines[earlier].Kind == Good && hasEventID(s.lines[earlier].Text) {
			return s.commands[earlier], bytes.Clone(s.lines[earlier].Text)
		}
	}
	return "", nil
}

func hasEventID(text []byte) bool {
	var envelope struct {
		EventID string `json:"event_id"`
	}
	return json.Unmarshal(text, &envelope) == nil && envelope.EventID != ""
}

func choose[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
