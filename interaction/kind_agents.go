package interaction

import "fmt"

// nested checks an object against a shape of its own.
func nested(value any, s shape, reason string) *fault {
	object, ok := value.(map[string]any)
	if !ok {
		return wrong(value, reason)
	}
	if found := misspelled(object, s); found != nil {
		return found
	}
	return s.fault(object)
}

// within returns the fault with the path of the enclosing field before its own.
func (f *fault) within(path string) *fault {
	if f == nil {
		return nil
	}
	return &fault{path + f.inner, f.value, f.why, f.reason}
}

var agentShape = shape{
	{name: "id", kind: kindAgentID, required: true, about: "name the agent"},
	{name: "name", kind: kindName},
}

const agentReason = `not an agent; send its id, or {"id": …, "name": …}`

var kindAgent = kind{
	words: `text, or {"id": …, "name": …}`,
	check: func(value any) *fault {
		if _, bare := agentID(value); bare {
			return kindAgentID.check(value)
		}
		object, ok := value.(map[string]any)
		if !ok {
			return wrong(value, agentReason)
		}
		if found := agentShape.fault(object); found != nil {
			return found // all other fields are the platform's own, however they are spelled
		}
		if size, exceeds := exceedsSize(value, maxAgent); exceeds {
			return oversized(value, fmt.Sprintf("has %d bytes; describe an agent in at most %d", size, maxAgent))
		}
		return nil
	},
	schema: func() map[string]any {
		return map[string]any{"anyOf": []any{kindAgentID.schema(), agentShape.schema()}}
	},
}

var kindAgents = kind{
	words: "list of agents",
	check: func(value any) *fault {
		agents, ok := value.([]any)
		if !ok || len(agents) == 0 {
			return wrong(value, "not a list of agents; send one agent or more in [ ]")
		}
		if len(agents) > maxOffered {
			return oversized(value, fmt.Sprintf("has %d agents; offer to at most %d at once", len(agents), maxOffered))
		}
		for i, agent := range agents {
			if found := kindAgent.check(agent); found != nil {
				return found.within(fmt.Sprintf("[%d]", i))
			}
		}
		return nil
	},
	schema: func() map[string]any {
		return map[string]any{"type": "array", "minItems": 1, "maxItems": maxOffered, "items": kindAgent.schema()}
	},
}

var actorShape = shape{
	{name: "id", kind: kindAgentID},
	{name: "role", kind: kindEnum(RoleAgent, RoleSupervisor, RoleAdmin, RolePlatform)},
}

var kindActor = kind{
	words: `{"id": …, "role": …}`,
	check: func(value any) *fault {
		if found := nested(value, actorShape, `not an actor; send {"id": …, "role": …}`); found != nil {
			return found
		}
		actor := value.(map[string]any)
		if actor["role"] == string(RoleAgent) && (actor["id"] == nil || actor["id"] == "") {
			return missing("id", "an agent acts under its id")
		}
		return nil
	},
	schema: func() map[string]any { return actorShape.schema() },
}

var targetShape = shape{
	{name: "agent", kind: kindAgent},
	{name: "queue", kind: kindName},
	{name: "number", kind: kindName},
}

var kindTarget = kind{
	words: `{"agent": …}, {"queue": …} or {"number": …}`,
	check: func(value any) *fault {
		const reason = `not a target; send one of {"agent": …}, {"queue": …}, {"number": …}`
		if found := nested(value, targetShape, reason); found != nil {
			return found
		}
		given := 0
		for _, f := range targetShape {
			if v := value.(map[string]any)[f.name]; v != nil && v != "" {
				given++
			}
		}
		switch given {
		case 0:
			return &fault{value: value, why: WhyMissing, reason: reason}
		case 1:
			return nil
		}
		return wrong(value, reason)
	},
	schema: func() map[string]any {
		schema := targetShape.schema()
		schema["oneOf"] = requiring("agent", "queue", "number")
		return schema
	},
}

// maxCode bounds a disposition code.
const maxCode = 128

var kindCode = kindString(maxCode, true)

var dispositionShape = shape{
	{name: "code", kind: kindCode, required: true, about: "send the disposition's code"},
	{name: "notes", kind: kindText},
}

var kindDisposition = kind{
	words: `text, or {"code": …, "notes": …}`,
	check: func(value any) *fault {
		if _, bare := value.(string); bare {
			return kindCode.check(value)
		}
		return nested(value, dispositionShape, `not a disposition; send its code, or {"code": …, "notes": …}`)
	},
	schema: func() map[string]any {
		return map[string]any{"anyOf": []any{kindCode.schema(), dispositionShape.schema()}}
	},
}
