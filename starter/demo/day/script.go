package day

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"segue/interaction"
)

// fields are the fields of a payload.
type fields map[string]any

// script writes the lines of one interaction, and holds each against the state
// machine at once.
type script struct {
	id, scenario string
	random       *rand.Rand
	clock        time.Time
	machine      *interaction.Interaction
	lines        []Line
	commands     []string
	events       int
}

// contactCenter stands in for whatever contact center the day is fed to.
const contactCenter = "day"

// longAfter is when every line of the day lies in the past.
var longAfter = opening.Add(1000 * time.Hour)

func newScript(id, scenario string, begin time.Time, chance *rand.Rand) *script {
	return &script{id: id, scenario: scenario, random: chance, clock: begin}
}

// start begins the interaction.
func (s *script) start(channel interaction.Channel, more fields) {
	with := fields{"channel": channel}
	for name, value := range more {
		with[name] = value
	}
	text := s.encode("start", with)
	s.machine = opened(text, s.id)
	s.keep(Good, "start", text)
}

// opened is the interaction that a start line begins.
func opened(text []byte, id string) *interaction.Interaction {
	start, err := interaction.DecodeStart(payloadOf(text, fields{"id": id, "contact_center": contactCenter}))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", id, err))
	}
	machine, _, err := interaction.Open(start, longAfter)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", id, err))
	}
	return machine
}

// do gives a command that must be legal, some seconds after the one before.
func (s *script) do(command string, with fields) {
	s.pass(1*time.Second, 12*time.Second)
	text := s.encode(command, with)
	if err := apply(s.machine, command, text); err != nil {
		panic(fmt.Sprintf("%s (%s), line %d: %v", s.id, s.scenario, len(s.lines)+1, err))
	}
	s.keep(Good, command, text)
}

// by gives a command as an agent does.
func (s *script) by(agent fields, command string, with fields) {
	acted := fields{"by": fields{"id": agent["id"], "role": "agent"}}
	for name, value := range with {
		acted[name] = value
	}
	s.do(command, acted)
}

// pass lets time go by.
func (s *script) pass(least, most time.Duration) {
	s.clock = s.clock.Add(least + time.Duration(s.random.Int64N(int64(most-least)))).Truncate(time.Millisecond)
}

// maybe is true that often in a hundred.
func (s *script) maybe(percent int) bool { return s.random.IntN(100) < percent }

func (s *script) keep(kind Kind, command string, text []byte) {
	s.lines = append(s.lines, Line{Kind: kind, Interaction: s.id, Scenario: s.scenario, At: s.clock, Text: text})
	s.commands = append(s.commands, command)
}

// mustEnd holds the script to ending its interaction.
func (s *script) mustEnd() {
	if !s.machine.Completed() {
		panic(fmt.Sprintf("%s (%s) does not end: %s", s.id, s.scenario, s.machine.Facts().State))
	}
}

// encode writes a line: what addresses it first, then the envelope, then the rest.
func (s *script) encode(command string, with fields) []byte {
	s.events++
	return encode(s.id, command, fmt.Sprintf("%s-%d", s.id, s.events), s.clock, with)
}

func encode(id, command string, eventID any, at time.Time, with fields) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"interaction":%s,"command":%s,"event_id":%s,"at":%s`,
		quote(id), quote(command), quote(eventID), quote(at.Format("2006-01-02T15:04:05.000Z")))
	if rest := quote(with); len(with) > 0 {
		b.WriteByte(',')
		b.WriteString(rest[1 : len(rest)-1])
	}
	b.WriteByte('}')
	return b.Bytes()
}

func quote(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// payloadOf is a line as the interaction gets it.
func payloadOf(text []byte, added fields) []byte {
	var line map[string]json.RawMessage
	if err := json.Unmarshal(text, &line); err != nil {
		panic(err)
	}
	delete(line, "interaction")
	delete(line, "command")
	for name, value := range added {
		line[name] = json.RawMessage(quote(value))
	}
	return []byte(quote(line))
}

// apply gives a line to the state machine; an error has changed nothing.
func apply(machine *interaction.Interaction, command string, text []byte) error {
	decoded, err := interaction.Decode(command, payloadOf(text, nil))
	if err != nil {
		return err
	}
	_, err = machine.Apply(decoded, longAfter)
	return err
}
