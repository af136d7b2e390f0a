package view_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/gateway/gws/view"
)

// TestNotificationsFollowTheTables plays random sequences and compares what each agent receives for each revision with an
// oracle that reads the JSON of the notices by the tables of the contract.
func TestNotificationsFollowTheTables(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, n := started(rt, rapid.SampledFrom(everyStart).Draw(rt, "start"))
		before := compareWithOracle(rt, nil, nil, n)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			last := p.last
			if n, _ := p.try(randomly(rt)); n != nil {
				before = compareWithOracle(rt, last, before, n)
			}
		}
	})
}

type object = map[string]any

// compareWithOracle compares one notice for each agent, and returns the notice as the oracle reads it.
func compareWithOracle(t require.TestingT, last *view.Look, before object, n *contract.Notice) object {
	encoded, err := json.Marshal(n)
	require.NoError(t, err)
	var notice object
	require.NoError(t, json.Unmarshal(encoded, &notice))
	change := view.NewChange(last, n, nil)
	require.ElementsMatch(t, concerned(notice), change.Agents())
	for _, agent := range agents {
		got := []string{}
		for _, m := range change.Notifications(agent, base, nil) {
			d := read(t, m)
			r := d.resource()
			got = append(got, strings.Join([]string{m.Topic, d.MessageType, d.NotificationType, r.State, strings.Join(slices.Sorted(slices.Values(r.Capabilities)), ",")}, " "))
			require.Equal(t, n.State.UserData, r.UserData)
			require.Equal(t, base+"/api/v2"+r.Path, r.URI)
			require.Equal(t, [2]string{string(d.Sequence), string(d.Revision)}, [2]string{jsonOf(n.Sequence), jsonOf(n.Revision)})
		}
		require.Equal(t, expected(before, notice, agent), got, "%s by %v: agent %s\nbefore %s\nafter %s", n.Command, n.By, agent, jsonOf(before), encoded)
	}
	return notice
}

func jsonOf(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// The oracle. It works on the JSON alone.

func list(o any, key string) []any {
	found, _ := o.(object)[key].([]any)
	return found
}

func at(o any, keys ...string) any {
	for _, key := range keys {
		inner, _ := o.(object)
		o = inner[key]
	}
	return o
}

func concerned(notice object) []string {
	found := map[string]bool{}
	for _, id := range list(notice, "agents_before") {
		found[id.(string)] = true
	}
	for id := range maps.Keys(objectAt(notice, "capabilities_for")) {
		found[id] = true
	}
	return slices.Collect(maps.Keys(found))
}

func objectAt(o any, keys ...string) object {
	found, _ := at(o, keys...).(object)
	return found
}

// row is the row of the table of parts.
func row(notice object, agent string) (part string, held bool) {
	state := objectAt(notice, "state")
	for _, p := range list(state, "participants") {
		if at(p, "agent", "id") != agent {
			continue
		}
		switch owner := at(p, "role") == "owner"; {
		case at(p, "role") == "wrap_up":
			if part == "" {
				part = "wrap_up"
			}
		case owner && state["state"] == "dialing":
			return "dialing", false
		case at(p, "segment") == "consulting" && owner:
			return "consulting", at(p, "held").(bool)
		case at(p, "segment") == "consulting":
			return "consulted", at(p, "held").(bool)
		case at(p, "segment") == "in_conference":
			return "conference", at(p, "held").(bool)
		case at(p, "segment") == "handling" && state["state"] == "composing":
			return "composing", at(p, "held").(bool)
		case at(p, "segment") == "handling":
			return "handling", at(p, "held").(bool)
		default:
			return "assigned", false
		}
	}
	for _, a := range list(state, "offered_to") {
		if at(a, "id") == agent {
			return "offered", false
		}
	}
	return part, false
}

var mediumNames = map[string]string{"chat": "Chat", "email": "Email", "sms": "Openmedia", "web": "Openmedia"}

func mediumIn(notice object) string {
	if name, ok := mediumNames[at(notice, "state", "channel").(string)]; ok {
		return name
	}
	return "Call"
}

func nameIn(medium, part string, held bool) string {
	switch part {
	case "offered", "assigned":
		return map[string]string{"Call": "Ringing", "Chat": "Invited", "Email": "Invited", "Openmedia": "Invited"}[medium]
	case "dialing":
		return map[string]string{"Call": "Dialing", "Chat": "Chatting", "Email": "Processing", "Openmedia": "Processing"}[medium]
	case "wrap_up":
		return map[string]string{"Call": "Released", "Chat": "Chatting", "Email": "Processing", "Openmedia": "Processing"}[medium]
	case "composing":
		return map[string]string{"Call": "Established", "Chat": "Composing", "Email": "Composing", "Openmedia": "Composing"}[medium]
	}
	if medium == "Call" && held {
		return "Held"
	}
	return map[string]string{"Call": "Established", "Chat": "Chatting", "Email": "Processing", "Openmedia": "Processing"}[medium]
}

// like are the capabilities that have the name of their command.
var like = map[string]string{
	"reject": "Reject", "cancel": "Cancel", "transfer": "Transfer", "place_in_queue": "PlaceInQueue", "place_in_workbin": "PlaceInWorkbin", "attach_user_data": "AttachUserData",
	"update_user_data": "UpdateUserData", "delete_user_data": "DeleteUserData", "set_disposition": "SetDisposition", "set_attributes": "AddComment",
}

func offeredIn(notice object, agent string) string {
	medium, can := mediumIn(notice), map[string]bool{}
	for _, c := range list(objectAt(notice, "capabilities_for"), agent) {
		can[c.(string)] = true
	}
	names := map[string]bool{}
	for command, name := range like {
		names[name] = can[command]
	}
	owns := at(notice, "state", "agent", "id") == agent
	consults := at(notice, "state", "state") == "consulting"
	ends := can["leave"]
	if owns {
		ends = can["complete"]
	}
	names["Complete"], names["Send"] = ends && !can["cancel"], ends && can["cancel"]
	names[map[bool]string{true: "Answer", false: "Accept"}[medium == "Call"]] = can["accept"]
	hangup := can["leave"]
	if owns {
		hangup = can["disconnect"]
		if consults {
			hangup = can["retrieve"]
		}
	}
	switch medium {
	case "Call":
		others := 0
		for _, p := range list(objectAt(notice, "state"), "participants") {
			if at(p, "agent", "id") != agent && at(p, "role") != "wrap_up" {
				others++
			}
		}
		names["Hangup"], names["Retrieve"], names["Hold"] = hangup, can["retrieve"], can["hold"] && !can["retrieve"]
		names["InitiateTransfer"], names["SingleStepConference"], names["SingleStepTransfer"] = can["consult"], can["conference"], can["transfer"]
		names["CompleteTransfer"], names["DeleteUserDataPair"] = can["transfer"] && consults && others > 0, can["delete_user_data"]
	case "Chat":
		names["Leave"] = hangup
	case "Email":
		names["Reply"], names["ReplyAll"] = can["reply"], can["reply"]
	}
	maps.DeleteFunc(names, func(_ string, has bool) bool { return !has })
	if len(names) > 0 {
		names["SetInFocus"] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ",")
}

// endOf is the row of how a part ended.
func endOf(before, notice object, agent string) string {
	medium := mediumIn(notice)
	if medium == "Call" {
		return "Released"
	}
	was, _ := row(before, agent)
	isOwn := at(notice, "by", "id") == agent && at(notice, "by", "role") == "agent"
	for _, e := range list(notice, "events") {
		isOwn = isOwn || at(e, "to") == "rejected" && at(e, "agent", "id") == agent
	}
	switch {
	case (was == "offered" || was == "assigned") && !isOwn:
		return "Revoked"
	case at(notice, "state", "outcome") == "canceled" && (strings.Contains(offeredIn(before, agent), "Cancel") || at(before, "state", "state") == "composing" || at(notice, "state", "parent") != nil):
		return "Canceled"
	}
	return "Completed"
}

func othersOf(notice object, agent string) string {
	all := map[string]bool{}
	for _, p := range list(objectAt(notice, "state"), "participants") {
		id, isAgent := at(p, "agent", "id").(string)
		if !isAgent {
			all["party "+jsonOf(at(p, "party"))] = true
		} else if id != agent {
			_, held := row(notice, id)
			all[id+map[bool]string{true: " holds"}[held]] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), ",")
}

// expected are the notifications of an agent, one a line.
func expected(before, notice object, agent string) []string {
	medium := mediumIn(notice)
	part, held := row(notice, agent)
	had := slices.Contains(list(notice, "agents_before"), any(agent))
	if part == "" && !had {
		return []string{}
	}
	name, can := nameIn(medium, part, held), offeredIn(notice, agent)
	if part == "" {
		name, can = endOf(before, notice, agent), ""
	}
	types := []string{"StatusChange"}
	if had {
		types = nil
		was, wasHeld := row(before, agent)
		if was != part || nameIn(medium, was, wasHeld) != name || offeredIn(before, agent) != can {
			types = append(types, "StatusChange")
		}
		if part != "" && (medium == "Call" || medium == "Chat") && othersOf(before, agent) != othersOf(notice, agent) {
			types = append(types, "ParticipantsUpdated")
		}
		data := jsonOf(at(before, "state", "user_data")) != jsonOf(at(notice, "state", "user_data"))
		if data && medium == "Call" {
			types = append(types, "AttachedDataChanged")
		}
		properties := data && medium != "Call"
		for _, key := range []string{"native_id", "business_process", "ani", "dnis", "comment", "customer"} {
			properties = properties || jsonOf(at(before, "state", key)) != jsonOf(at(notice, "state", key))
		}
		for _, key := range []string{"code", "notes", "agent"} {
			properties = properties || at(before, "state", "disposition", key) != at(notice, "state", "disposition", key)
		}
		if properties {
			types = append(types, "PropertiesUpdated")
		}
	}
	lines := []string{}
	topics := [][2]string{{"/v2/me/" + map[string]string{"Call": "calls", "Chat": "chats", "Email": "emails", "Openmedia": "openmedia"}[medium], medium + "StateChangeMessage"}, {"/v2/me/interactions", "InteractionStateMessage"}}
	for _, topic := range topics {
		for _, kind := range types {
			lines = append(lines, strings.Join([]string{topic[0], topic[1], kind, name, can}, " "))
		}
	}
	return lines
}
