package bench

import (
	"fmt"
	"strings"
)

// Command is one command of the interaction that the floor and Segue are compared with. It fires one POST.
type Command struct {
	Name string
	// payload is a template for the payload, with the event id.
	payload string
	// when is Segue's trigger, as YAML.
	when string
}

// Commands are the six commands of that interaction.
var Commands = []Command{
	{"place_in_queue", `{"event_id":%q,"queue":"sales"}`, `when: segment_change, segments: [agent_selecting]`},
	{"offer", `{"event_id":%q,"agent":{"id":"ada","name":"Ada"}}`, `when: segment_change, segments: [offered.agent]`},
	{"accept", `{"event_id":%q,"agent":{"id":"ada"}}`, `when: inbound.agent_connect`},
	{"dtmf", `{"event_id":%q,"digits":"1"}`, `when: inbound.dtmf`},
	{"disconnect", `{"event_id":%q}`, `when: inbound.call_end`},
	{"complete", `{"event_id":%q,"disposition":{"code":"SOLD"}}`, `when: inbound.disposition`},
}

// EventID returns the id of the event of an interaction's n-th command.
func EventID(id string, n int) string { return fmt.Sprintf("%s-%d", id, n) }

// Payload returns the payload of a command that has this event id.
func (c Command) Payload(eventID string) []byte { return fmt.Appendf(nil, c.payload, eventID) }

// Call is the name of the only call of Configuration.
const Call = "probe"

// StartFields are the fields of a start besides its name, as JSON.
const StartFields = `"channel":"inbound","ani":"+4930123456","dnis":"+4989654321"`

// Configuration returns the configuration in YAML with which Segue sends what Floor sends. timeouts are those of every
// channel and queue, such as "late_events: 0s"; without any, they have their defaults.
func Configuration(url, timeouts string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
calls:
  - name: %s
    method: POST
    url: %s
    json: {interaction: "${interaction.id}", command: "${event.command}", channel: "${interaction.channel}", agent: "${agent.id}"}
    limits: {concurrency: 0}
timeouts: {default: {%s}}
guard: {allow: ["127.0.0.0/8"]}
triggers:
`, Call, url, timeouts)
	for _, c := range Commands {
		fmt.Fprintf(&b, "  - {%s, call: %s}\n", c.when, Call)
	}
	return b.String()
}
