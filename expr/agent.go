package expr

import "segue/interaction"

// agentAttributes returns what the platform sent about an agent besides id and name.
func agentAttributes(a *interaction.Agent) map[string]any { return a.Fields }

func agentAttribute(a *interaction.Agent, name string) (any, bool) {
	if a == nil {
		return nil, false
	}
	v, ok := agentAttributes(a)[name]
	return v, ok
}
