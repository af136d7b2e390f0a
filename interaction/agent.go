package interaction

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// Agent is a person who handles interactions. The type is open: every other field that a
// platform sends (team, location, extern_id …) is kept in Fields and written flat, beside
// id and name. An Agent is never changed, so it may be shared.
type Agent struct {
	ID     string
	Name   string
	Fields map[string]any
}

// MarshalJSON writes the agent as one flat object.
func (a Agent) MarshalJSON() ([]byte, error) {
	if len(a.Fields) > 0 {
		return json.Marshal(a.flat())
	}
	// Most agents are no more than this, and every state and event has some.
	return json.Marshal(struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
	}{a.ID, a.Name})
}

func (a Agent) flat() map[string]any {
	flat := make(map[string]any, len(a.Fields)+2)
	maps.Copy(flat, a.Fields)
	flat["id"] = a.ID
	if a.Name != "" {
		flat["name"] = a.Name
	}
	return flat
}

// UnmarshalJSON reads a flat object, or a bare string or number as the agent's id.
func (a *Agent) UnmarshalJSON(data []byte) error {
	value, err := parseValue(data)
	if err != nil {
		return err
	}
	read, ok := agentFrom(value)
	if !ok {
		return fmt.Errorf("an agent must be an id or an object with an id, not %s", shown(value))
	}
	*a = read
	return nil
}

// agentFrom reads an agent from a parsed value, which need not have been validated.
func agentFrom(value any) (Agent, bool) {
	if id, bare := agentID(value); bare {
		return Agent{ID: id}, true
	}
	object, _ := value.(map[string]any)
	id, ok := agentID(object["id"])
	if !ok {
		return Agent{}, false
	}
	agent := Agent{ID: id}
	agent.Name, _ = object["name"].(string)
	for key, field := range object {
		if key == "id" || key == "name" {
			continue
		}
		if agent.Fields == nil {
			agent.Fields = make(map[string]any, len(object))
		}
		agent.Fields[key] = field
	}
	return agent, true
}

// agentID returns the text of an agent's id, which platforms send as a string or a number.
func agentID(value any) (string, bool) {
	switch id := value.(type) {
	case string:
		return id, true
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64), true
	case json.Number:
		return id.String(), true
	}
	return "", false
}

// enriched returns the agent with what a later report adds; nil if it adds nothing.
func (a Agent) enriched(later Agent) *Agent {
	richer := Agent{ID: a.ID, Name: a.Name, Fields: a.Fields}
	changed := later.Name != "" && later.Name != a.Name
	if changed {
		richer.Name = later.Name
	}
	if fields, differs := merged(a.Fields, later.Fields, replacing); differs {
		richer.Fields, changed = fields, true
	}
	if !changed {
		return nil
	}
	return &richer
}

// Role is what an actor may do with interactions.
type Role string

// The roles; an actor without one counts as the platform.
const (
	RoleAgent      Role = "agent"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
	RolePlatform   Role = "platform"
)

// Actor is who gave a command.
type Actor struct {
	ID   string `json:"id"`
	Role Role   `json:"role,omitempty"`
}

// Target is where a transfer or a consultation goes; one of the fields is set.
type Target struct {
	Agent  *Agent `json:"agent,omitempty"`
	Queue  string `json:"queue,omitempty"`
	Number string `json:"number,omitempty"`
}

// Disposition is how an agent classified an interaction.
type Disposition struct {
	Code  string `json:"code"`
	Notes string `json:"notes,omitempty"`
	// Agent is the id of the agent who gave the disposition, At the time.
	Agent string    `json:"agent,omitempty"`
	At    time.Time `json:"at,omitzero"`
}
