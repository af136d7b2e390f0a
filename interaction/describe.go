package interaction

import "slices"

// Field describes a field of a command's payload, for people.
type Field struct {
	Name string
	// Type says what it may hold, in words: "text", "true or false", "inbound | outbound".
	Type     string
	Required bool
	// About says what it is for; empty if its name says it.
	About string
}

// Fields lists the fields of a command's payload, or of that of "start"; nil if there is no such command. A payload may
// have other fields, which are kept.
func Fields(command string) []Field {
	return described(messageOf(command).fields)
}

// CommonFields lists the fields that the payload of every command may have.
func CommonFields() []Field { return described(envelopeShape) }

func described(s shape) []Field {
	var fields []Field
	for _, f := range s {
		fields = append(fields, Field{Name: f.name, Type: f.kind.words, Required: f.required, About: f.about})
	}
	return fields
}

func messageOf(command string) message {
	if command == "start" {
		return startMessage
	}
	return messages[command]
}

// LegalStates lists the states in which a command may be legal, in the order of the documentation; whether it is legal
// depends on more than the state. nil for "start", and if there is no such command.
func LegalStates(command string) []State {
	r, ok := ruleOf(command)
	if !ok {
		return nil
	}
	var legal []State
	for _, state := range states {
		if slices.Contains(r.states, state) || r.asyncWrapUp && state == StateWrapUp || r.lingering && state == StateCompleted {
			legal = append(legal, state)
		}
	}
	return legal
}

// Example returns an example of a command's payload, or of that of "start"; nil for a command without fields of its own.
func Example(command string) map[string]any { return examples()[command] }

func examples() map[string]map[string]any {
	type object = map[string]any
	ada := object{"id": "ada", "name": "Ada"}
	return map[string]map[string]any{
		"start":             {"id": "ixn-1", "contact_center": "default", "channel": "inbound", "ani": "+15550100"},
		"place_in_queue":    {"queue": "sales"},
		"offer":             {"agent": ada, "timeout": "20s"},
		"accept":            {"agent": "ada"},
		"reject":            {"agent": "ada", "reason": "busy"},
		"dial":              {"destination": "+4930123456"},
		"consult":           {"to": object{"agent": "bob"}},
		"conference":        {"agent": "bob"},
		"leave":             {"agent": "ada"},
		"transfer":          {"to": object{"queue": "support"}},
		"place_in_workbin":  {"workbin": "drafts"},
		"set_disposition":   {"disposition": "SOLD"},
		"attach_user_data":  {"user_data": object{"tier": "gold"}},
		"update_user_data":  {"user_data": object{"tier": "gold"}},
		"delete_user_data":  {"keys": []string{"tier"}},
		"set_attributes":    {"comment": "calls back"},
		"survey":            {"answers": object{"score": 9}},
		"queue_event":       {"event": "announced"},
		"dtmf":              {"digits": "42#"},
		"signal_added":      {"name": "upsell", "p1": "gold"},
		"signal_removed":    {"name": "upsell"},
		"script_signal":     {"name": "saved", "p1": "order-17"},
		"engage":            {"ixnProfile": object{"visitID": "v-1"}},
		"noengage":          {"cancelData": object{"visitID": "v-1"}},
		"engagement_result": {"result": "accepted", "queue": "web"},
		"reply":             {"all": false},
		"complete":          {"disposition": "SOLD"},
		"segment_change":    {"segment": "handling", "leg": "agent", "agent": "ada"},
	}
}
