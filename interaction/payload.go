package interaction

import "time"

// payload reads the fields of an object whose shape was checked.
type payload map[string]any

func (p payload) text(name string) string {
	text, _ := p[name].(string)
	return text
}

// given returns the text if the field is there, also if it is empty; else nil.
func (p payload) given(name string) *string {
	text, ok := p[name].(string)
	if !ok {
		return nil
	}
	return &text
}

func (p payload) flag(name string) bool {
	flag, _ := p[name].(bool)
	return flag
}

func (p payload) object(name string) map[string]any {
	object, _ := p[name].(map[string]any)
	return object
}

func (p payload) duration(name string) time.Duration {
	d, _ := time.ParseDuration(p.text(name))
	return d
}

func (p payload) agent(name string) *Agent {
	if p[name] == "" {
		return nil
	}
	agent, ok := agentFrom(p[name])
	if !ok {
		return nil
	}
	return &agent
}

// agents reads a list; a repeated agent counts once.
func (p payload) agents(name string) []Agent {
	listed, _ := p[name].([]any)
	agents := make([]Agent, 0, len(listed))
	seen := map[string]bool{}
	for _, value := range listed {
		agent, _ := agentFrom(value)
		if !seen[agent.ID] {
			seen[agent.ID] = true
			agents = append(agents, agent)
		}
	}
	return agents
}

func (p payload) texts(name string) []string {
	listed, _ := p[name].([]any)
	texts := make([]string, 0, len(listed))
	for _, value := range listed {
		text, _ := value.(string)
		texts = append(texts, text)
	}
	return texts
}

func (p payload) target(name string) Target {
	to := payload(p.object(name))
	return Target{Agent: to.agent("agent"), Queue: to.text("queue"), Number: to.text("number")}
}

func (p payload) disposition(name string) *Disposition {
	if code := p.text(name); code != "" {
		return &Disposition{Code: code}
	}
	given := payload(p.object(name))
	if given == nil {
		return nil
	}
	return &Disposition{Code: given.text("code"), Notes: given.text("notes")}
}

func (p payload) signal() Signal {
	signal := Signal{Name: p.text("name"), Tooltip: p.text("tooltip")}
	for _, name := range signalParams {
		if value := p.given(name); value != nil {
			if signal.Params == nil {
				signal.Params = map[string]string{}
			}
			signal.Params[name] = *value
		}
	}
	return signal
}

// maxEventID is the longest id of an update that every server takes; an event id may be one.
const maxEventID = 255

var eventID = kindString(maxEventID, true)

// envelopeShape is the envelope's fields.
var envelopeShape = shape{
	{name: "event_id", kind: eventID, about: "the idempotency key"},
	{name: "at", kind: kindTime, about: "when it happened at the source"},
	{name: "source_sequence", kind: kindSequence, about: "the source's number of this command within the interaction, from 1; commands are applied in this order"},
	{name: "by", kind: kindActor, about: "who gave the command"},
}

func (p payload) envelope() Envelope {
	envelope := Envelope{EventID: p.text("event_id"), At: p.time("at")}
	sequence, _ := p["source_sequence"].(float64)
	envelope.SourceSequence = int64(sequence)
	if by := payload(p.object("by")); by != nil {
		id, _ := agentID(by["id"])
		envelope.By = &Actor{ID: id, Role: Role(by.text("role"))}
	}
	return envelope
}

func (p payload) time(name string) *time.Time {
	at, err := time.Parse(time.RFC3339Nano, p.text(name))
	if err != nil {
		return nil
	}
	at = at.UTC()
	return &at
}

// ownFields takes the envelope out of the payload and returns the rest.
func (p payload) ownFields() map[string]any {
	for i := range envelopeShape {
		delete(p, envelopeShape[i].name)
	}
	return p
}
