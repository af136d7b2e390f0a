package his_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"
)

// picture is what a desktop knows by events alone.
type picture struct {
	// states has the state of each object that has not ended, members how many take part in a conversation, and data what an
	// interaction has.
	states     map[string]string
	members    map[string]int
	data       map[string]any
	isReplayed bool
}

func newPicture() picture {
	return picture{states: map[string]string{}, members: map[string]int{}, data: map[string]any{}}
}

// consultation is the number of a consultation, which a desktop that comes back need not know.
var consultation = regexp.MustCompile(`\.k-\d+$`)

func (p *picture) learn(session string, event object) {
	target, _ := event["target"].(string)
	target = consultation.ReplaceAllString(strings.TrimPrefix(strings.TrimPrefix(target, session), "."), ".k")
	switch event["name"] {
	case "state.updated":
		p.states[target] = fmt.Sprint(at(event, "data", "state"))
		if p.states[target] == "ENDED" {
			delete(p.states, target)
			delete(p.members, target)
		}
	case "conversation.member.added":
		p.members[target]++
	case "interaction.datachanged":
		p.data[target] = []any{at(event, "data", "data"), at(event, "data", "disposition", "value")}
	case "interaction.ended":
		delete(p.states, target) // a transfer says it no other way
		delete(p.data, target)
	case "session.initialized":
		p.isReplayed = true
	}
}

// truth returns the picture that a desktop has to have, of the states of all its interactions.
func (d *desk) truth() picture {
	d.Helper()
	right := newPicture()
	right.isReplayed = true
	right.states[d.channel] = "INACTIVE"
	list, _ := platform(d.T, http.MethodGet, "/interactions?agent="+d.agent, "")["interactions"].([]any)
	for _, one := range list {
		id, _ := at(one, "id").(string)
		d.paint(&right, id, platform(d.T, http.MethodGet, "/interactions/"+id, ""))
	}
	return right
}

// paint adds what the agent has of an interaction.
func (d *desk) paint(right *picture, id string, state object) {
	d.Helper()
	participants, _ := state["participants"].([]any)
	on, others := d.channel+"."+id, map[string]int{}
	for _, one := range participants {
		segment, _ := at(one, "segment").(string)
		if others[segment]++; at(one, "agent", "id") != d.agent {
			continue
		}
		others[segment]--
		conversation, isKnown := map[string]string{"handling": "ACTIVE", "consulting": "ACTIVE", "in_conference": "ACTIVE", "wrap_up": ""}[segment]
		if state["state"] == "dialing" {
			conversation, isKnown = "DIALING", true
		}
		require.True(d, isKnown, "%v", []any{state["state"], participants, state["agent"]})
		if at(one, "held") == true && conversation != "" {
			conversation = "HELD"
		}
		right.states[d.channel], right.states[on] = "ACTIVE", map[bool]string{true: "DIALING", false: "STARTED"}[conversation == "DIALING"]
		right.data[on] = []any{state["user_data"], at(state, "disposition", "code")}
		if conversation != "" {
			right.states[on+".p"], right.members[on+".p"] = conversation, 1
		}
	}
	if at(state, "agent", "id") != d.agent {
		return
	}
	if n := others["in_conference"]; n > 0 && right.states[on+".p"] != "" {
		right.members[on+".p"] += n
	}
	if n := others["consulting"]; n > 0 {
		right.states[on+".k"], right.members[on+".k"] = "ACTIVE", n
	}
}

func (d *desk) requireTruth() {
	d.Helper()
	require.Equal(d, d.truth(), d.picture, "the replay is what is")
}
