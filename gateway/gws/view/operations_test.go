package view_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/gateway/gws/view"
	"segue/gateway/parts"
	"segue/interaction"
)

// fieldsOf are valid fields of each command, for an agent zz who has no part.
var fieldsOf = map[string]string{
	"consult": `{"to":{"agent":"zz"}}`, "conference": `{"agent":"zz"}`, "transfer": `{"to":{"agent":"zz"}}`, "place_in_queue": `{"queue":"elsewhere"}`,
	"place_in_workbin": `{"workbin":"w"}`, "set_disposition": `{"code":"SOLD"}`, "attach_user_data": `{"user_data":{"k":1}}`, "update_user_data": `{"user_data":{"k":1}}`,
	"delete_user_data": `{"keys":["k"]}`, "set_attributes": `{"comment":"c"}`,
}

// listedAs is the name in capabilities of an operation that is another name of one.
func listedAs(o *view.Operation, m view.Medium, isDraft bool) string {
	switch o.Name {
	case "Accept", "Answer":
		return map[bool]string{true: "Answer", false: "Accept"}[m == view.Call]
	case "StopProcessing", "Complete":
		return map[bool]string{true: "Send", false: "Complete"}[isDraft]
	case "SingleStepTransfer":
		return "Transfer"
	case "DeleteUserDataPair":
		return "DeleteUserData"
	}
	return o.Name
}

// accepts reports whether the interaction takes the command of an operation that an agent gives.
func accepts(t require.TestingT, i *interaction.Interaction, o *view.Operation, l view.Look, agent string) bool {
	name := o.CommandFor(l, agent)
	fields := fieldsOf[name]
	if o.Name == "CompleteTransfer" {
		fields = `{"mode":"consult"}`
	}
	cmd, err := interaction.Decode(name, []byte(fields))
	require.NoError(t, err, name)
	cmd.By = &interaction.Actor{ID: agent, Role: interaction.RoleAgent}
	return i.Check(cmd) == nil
}

// TestAnOperationIsOfferedExactlyIfItIsAccepted compares capabilities with what the interaction takes from that agent.
func TestAnOperationIsOfferedExactlyIfItIsAccepted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, _ := started(rt, rapid.SampledFrom(everyStart).Draw(rt, "start"))
		for range rapid.IntRange(0, 25).Draw(rt, "steps") {
			if n, _ := p.try(randomly(rt)); n == nil {
				continue
			}
			for _, agent := range agents {
				compareOffers(rt, p, agent, map[string]bool{})
			}
		}
	})
}

func TestEveryOperationIsAcceptedSomewhere(t *testing.T) {
	accepted := map[string]bool{}
	for _, begin := range everyStart {
		for _, lines := range [][]string{nil, offered, handling, after(handling, `a1: hold`), consulted, conferred, wrapping} {
			p, _ := started(t, begin)
			for _, line := range lines {
				if _, err := p.try(line); err != nil {
					break
				}
			}
			for _, agent := range agents {
				compareOffers(t, p, agent, accepted)
			}
		}
	}
	for _, o := range view.Operations {
		require.True(t, accepted[o.Name], "%s was never accepted", o.Name)
	}
}

func compareOffers(t require.TestingT, p *play, agent string, seen map[string]bool) {
	l := *p.last
	offered, m := view.Of(l, agent, base).Capabilities(), view.MediumOf(l.State.Channel)
	if parts.Of(l.State, agent).Part == parts.None {
		require.Empty(t, offered)
		return
	}
	isDraft := slices.Contains(l.CapabilitiesFor[agent], "cancel")
	for n := range view.Operations {
		o, has := view.FindOperation(view.Operations[n].Name, m)
		switch {
		case !has:
			require.NotContains(t, offered, view.Operations[n].Name)
			continue
		case o.Name == view.OperationSetInFocus:
			require.Equal(t, len(offered) > 0, slices.Contains(offered, o.Name))
			seen[o.Name] = true
			continue
		case o.Name == view.OperationGetWorkbinContent:
			seen[o.Name] = true
			continue
		case o.Name == "Hold" && slices.Contains(offered, "Retrieve"): // to hold again changes nothing
			require.NotContains(t, offered, "Hold")
			continue
		case o.Name == "Send" && !isDraft: // it stands for Complete
			require.NotContains(t, offered, "Send")
			continue
		}
		name := listedAs(o, m, isDraft)
		taken := accepts(t, p.i, o, l, agent)
		require.Equal(t, taken, slices.Contains(offered, name), "%s (%s) of %s in %s as %v: %v", o.Name, o.CommandFor(l, agent), agent, l.State.State, parts.Of(l.State, agent).Part, l.CapabilitiesFor[agent])
		seen[o.Name] = seen[o.Name] || taken
	}
}

func TestAnOperationStandsForTheCommandOfThePart(t *testing.T) {
	for name, row := range map[string]struct {
		operation, channel, agent string
		lines                     []string
		want                      string
	}{
		"the owner hangs up":                       {"Hangup", "inbound", "a1", handling, "disconnect"},
		"the owner ends a consultation":            {"Hangup", "inbound", "a1", consulted, "retrieve"},
		"who is consulted leaves":                  {"Hangup", "inbound", "a2", consulted, "leave"},
		"who joined leaves":                        {"Hangup", "inbound", "a2", conferred, "leave"},
		"the owner of a conference hangs up":       {"Hangup", "inbound", "a1", conferred, "disconnect"},
		"the owner leaves a chat":                  {"Leave", "chat", "a1", handling, "disconnect"},
		"the owner ends a consultation about it":   {"Leave", "chat", "a1", consulted, "retrieve"},
		"who is consulted about a chat leaves":     {"Leave", "chat", "a2", consulted, "leave"},
		"the owner completes":                      {"Complete", "email", "a1", handling, "complete"},
		"the owner completes while consulting":     {"Complete", "email", "a1", consulted, "complete"},
		"who is consulted completes its part":      {"Complete", "email", "a2", consulted, "leave"},
		"who is consulted stops its part":          {"StopProcessing", "email", "a2", consulted, "leave"},
		"the transfer of a consultation completes": {"CompleteTransfer", "inbound", "a1", consulted, "transfer"},
		"a consultation begins a transfer":         {"InitiateTransfer", "inbound", "a1", handling, "consult"},
		"to focus gives no command":                {"SetInFocus", "chat", "a1", handling, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := look(t, start(row.channel), row.lines...)
			o, ok := view.FindOperation(row.operation, view.MediumOf(l.State.Channel))
			require.True(t, ok)
			require.Equal(t, row.want, o.CommandFor(l, row.agent))
		})
	}
}

func TestAMediumHasItsOperationsAlone(t *testing.T) {
	has := func(name string, m view.Medium) bool { _, ok := view.FindOperation(name, m); return ok }
	for _, name := range []string{"Hold", "Retrieve", "Hangup", "InitiateTransfer", "CompleteTransfer", "SingleStepConference"} {
		require.Equal(t, []bool{true, false, false, false}, []bool{has(name, view.Call), has(name, view.Chat), has(name, view.Email), has(name, view.Openmedia)}, name)
	}
	for _, name := range []string{"Reply", "ReplyAll"} {
		require.Equal(t, []bool{false, false, true, false}, []bool{has(name, view.Call), has(name, view.Chat), has(name, view.Email), has(name, view.Openmedia)}, name)
	}
	require.Equal(t, []bool{false, true, false, false}, []bool{has("Leave", view.Call), has("Leave", view.Chat), has("Leave", view.Email), has("Leave", view.Openmedia)})
	for _, name := range []string{
		"Accept", "Answer", "Reject", "Cancel", "Complete", "StopProcessing", "Send", "PlaceInQueue", "AttachUserData", "UpdateUserData", "DeleteUserData", "DeleteUserDataPair",
		"PlaceInWorkbin", "GetWorkbinContent", "Transfer", "SingleStepTransfer", "SetDisposition", "AddComment", "SetInFocus",
	} {
		for _, m := range view.Media {
			require.True(t, has(name, m), "%s %s", name, m.Name)
		}
	}
	for _, m := range view.Media {
		require.False(t, has("Redirect", m))
		require.False(t, has("accept", m))
	}
}
