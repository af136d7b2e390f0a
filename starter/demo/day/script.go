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

// script generates the lines of one interaction and checks each against the state machine.
type script struct {
	id, scenario string
	random       *rand.Rand
	clock        time.Time
	machine      *interaction.Interaction
	lines        []Line
	commands     []string
	events       int
}

// contactCenter stands for the contact center that the day is fed to.
const contactCenter = "day"

// longAfter is a time after every line of the day.
var longAfter = opening.Add(1000 * time.Hour)

func newScript(id, scenario string, begin time.Time, random *rand.Rand) *script {
	return &script{id: id, scenario: scenario, random: random, clock: begin}
}

// start adds the line that starts the interaction.
func (s *script) start(channel interaction.Channel, more fields) {
	with := fields{"channel": channel}
	for name, value := range more {
		with[name] = value
	}
	text := s.encode("start", with)
	s.machine = opened(text, s.id)
	s.add(Good, "start", text)
}

// opened returns the interaction that a start line starts.
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

// do adds a command some seconds after the previous line. The command must be legal.
func (s *script) do(command string, with fields) {
	s.pass(1*time.Second, 12*time.Second)
	text := s.encode(command, with)
	if err := apply(s.machine, command, text); err != nil {
		panic(fmt.Sprintf("%s (%s), line %d: %v", s.id, s.scenario, len(s.lines)+1, err))
	}
	s.add(Good, command, text)
}

// by adds a command by an agent.
func (s *script) by(agent fields, command string, with fields) {
	acted := fields{"by": fields{"id": agent["id"], "role": "agent"}}
	for name, value := range with {
		acted[name] = value
	}
	s.do(command, acted)
}

// pass advances the clock by a random time.
func (s *script) pass(least, most time.Duration) {
	s.clock = s.clock.Add(least + time.Duration(s.random.Int64N(int64(most-least)))).Truncate(time.Millisecond)
}

// maybe returns true with a probability in percent.
func (s *script) maybe(percent int) bool { return s.random.IntN(100) < percent }

func (s *script) add(kind Kind, command string, text []byte) {
	s.lines = append(s.lines, Line{Kind: kind, Interaction: s.id, Scenario: s.scenario, At: s.clock, Text: text})
	s.commands = append(s.commands, command)
}

// mustEnd panics unless the interaction has completed.
func (s *script) mustEnd() {
	if !s.machine.Completed() {
		panic(fmt.Sprintf("%s (%s) does not end: %s", s.id, s.scenario, s.machine.Facts().State))
	}
}

// encode encodes a line: address, envelope, then the payload's fields.
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

// payloadOf returns the payload of a line, with added fields.
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

// apply applies a line to the state machine. If it returns an error, nothing has changed.
func apply(machine *interaction.Interaction, command string, text []byte) error {
	decoded, err := interaction.Decode(command, payloadOf(text, nil))
	if err != nil {
		return err
	}
	_, err = machine.Apply(decoded, longAfter)
	return err
}
