package workflows_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
)

// element returns a command as an element of an array.
func element(command, payload string) string {
	return strings.Replace(`{"command":"`+command+`",`+payload[1:], ",}", "}", 1)
}

// reasonOf returns the detail of a refusal.
func reasonOf(t *testing.T, err error) contract.Refusal {
	t.Helper()
	var application *temporal.ApplicationError
	require.True(t, errors.As(err, &application), "%v", err)
	require.True(t, application.HasDetails())
	var reason contract.Refusal
	require.NoError(t, application.Details(&reason))
	return reason
}

func TestARefusalHasItsReasonInUpdatesAndArrays(t *testing.T) {
	legal := []string{"place_in_queue", "accept", "dial"}
	for name, c := range map[string]struct {
		command, payload string
		want             contract.Refusal
	}{
		"state":            {"hold", `{}`, contract.Refusal{Why: interaction.WhyState, State: interaction.StateStarted}},
		"needs":            {"set_disposition", `{"code":"x"}`, contract.Refusal{Why: interaction.WhyNeeds, State: interaction.StateStarted}},
		"agent":            {"accept", `{"agent":"a2","by":{"id":"a1","role":"agent"}}`, contract.Refusal{Why: interaction.WhyAgent, State: interaction.StateStarted, Legal: []string{"accept", "dial"}}},
		"role, agent":      {"offer", `{"agent":"a2","by":{"id":"a1","role":"agent"}}`, contract.Refusal{Why: interaction.WhyRole, State: interaction.StateStarted, Legal: []string{"accept", "dial"}}},
		"role, supervisor": {"survey", `{"answers":{},"by":{"id":"s","role":"supervisor"}}`, contract.Refusal{Why: interaction.WhyRole, State: interaction.StateStarted}},
		"missing":          {"place_in_queue", `{}`, contract.Refusal{Why: interaction.WhyMissing, Field: "queue"}},
		"invalid":          {"place_in_queue", `{"queue":7}`, contract.Refusal{Why: interaction.WhyInvalid, Field: "queue"}},
		"too large":        {"attach_user_data", `{"user_data":{"a":"` + strings.Repeat("x", 75<<10) + `"}}`, contract.Refusal{Why: interaction.WhyTooLarge, Field: "user_data"}},
		"order":            {"dtmf", `{"digits":"1","source_sequence":99999}`, contract.Refusal{Why: interaction.WhyOrder, Field: "source_sequence"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := inOrder(t)
			var single, array *updateCallbacks
			e.at(time.Second, func() {
				single = e.update("u1", c.command, c.payload)
				array = e.update("u2", contract.UpdateCommands, "["+element(c.command, c.payload)+"]")
			})
			e.signals(time.Minute, [2]string{"cancel", `{}`})
			e.start(queuedCall)
			refused := single.rejected
			if refused == nil {
				refused = single.failed
			}
			got := reasonOf(t, refused)
			element := resultsOf(t, array)[0].Error
			require.Equal(t, got, element.Refusal, "the same in both")
			require.Equal(t, errorType(t, refused), element.Type)
			if c.want.Legal == nil {
				if c.want.State != "" {
					require.Subset(t, got.Legal, legal)
				}
				got.Legal = nil
			}
			require.Equal(t, c.want, got)
		})
	}
}

// The envelope decides for whom the capabilities are; queries name the actor.
func TestCapabilitiesAreThoseOfTheActor(t *testing.T) {
	e := newEnv(t)
	ask := func(argument any) []string {
		value, err := e.QueryWorkflow(contract.QueryState, argument)
		require.NoError(t, err)
		return decoded[contract.State](t, value).Capabilities
	}
	var byAgent, byPlatform, bySupervisor, array *updateCallbacks
	e.at(time.Second, func() {
		byAgent = e.update("u1", "accept", `{"by":{"id":"a1","role":"agent"}}`)
		byPlatform = e.update("u2", "set_attributes", `{}`)
		bySupervisor = e.update("u3", "set_attributes", `{"by":{"id":"s","role":"supervisor"}}`)
		array = e.update("u4", contract.UpdateCommands, `[{"command":"set_attributes","by":{"id":"a1","role":"agent"}},{"command":"hold","by":{"id":"a2","role":"agent"}},
			{"command":"place_in_queue","by":{"id":"a2","role":"agent"}},{"command":"set_attributes"}]`)
	})
	e.at(2*time.Second, func() {
		platform := query[contract.State](e, contract.QueryState).Capabilities
		require.Contains(t, platform, "segment_change")
		for _, odd := range []any{nil, 7, "a1", json.RawMessage(`{"id":7}`), contract.StateRequest{}, contract.StateRequest{Role: interaction.RolePlatform}} {
			require.Equal(t, platform, ask(odd), "%v", odd)
		}
		owner := ask(contract.StateRequest{ID: "a1", Role: interaction.RoleAgent})
		require.Contains(t, owner, "hold")
		require.NotContains(t, owner, "segment_change")
		require.Empty(t, ask(contract.StateRequest{ID: "a2", Role: interaction.RoleAgent}))
		value, err := e.QueryWorkflow(contract.QueryState, contract.StateRequest{Role: interaction.RolePlatform, Agents: true})
		require.NoError(t, err)
		state := decoded[contract.State](t, value)
		require.Equal(t, platform, state.Capabilities)
		require.Equal(t, map[string][]string{"a1": owner}, state.CapabilitiesFor)
		supervisor := ask(contract.StateRequest{ID: "s", Role: interaction.RoleSupervisor})
		require.Contains(t, supervisor, "cancel")
		require.NotContains(t, supervisor, "segment_change")

		require.Equal(t, owner, byAgent.answer.(contract.Answer).Capabilities)
		require.Equal(t, platform, byPlatform.answer.(contract.Answer).Capabilities)
		require.Equal(t, supervisor, bySupervisor.answer.(contract.Answer).Capabilities)
		results := resultsOf(t, array)
		require.Equal(t, owner, results[0].Capabilities)
		require.Empty(t, results[1].Capabilities, "also if it is refused")
		require.Empty(t, results[2].Capabilities, "also if it cannot be read")
		require.Equal(t, platform, results[3].Capabilities)
		e.SignalWorkflow("cancel", json.RawMessage(`{}`))
	})
	e.start(queuedCall)
	require.NoError(t, e.GetWorkflowError())
}

func TestTheStateShowsUntilWhenAnOfferAndAnInvitationAreOpen(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{Offer: 30 * time.Second, Engagement: time.Minute}))
	e.at(time.Second, func() {
		require.Nil(t, e.status().EngagedUntil)
		e.SignalWorkflow("engage", json.RawMessage(`{"ixnProfile":{}}`))
	})
	e.at(2*time.Second, func() {
		status := e.status()
		require.Equal(t, status.StartedAt.Add(61*time.Second), *status.EngagedUntil)
		require.Nil(t, status.OfferedUntil)
		e.SignalWorkflow("offer", json.RawMessage(`{"agent":"a1"}`))
	})
	e.at(3*time.Second, func() {
		status := e.status()
		require.Equal(t, status.StartedAt.Add(32*time.Second), *status.OfferedUntil)
		require.Nil(t, status.EngagedUntil)
		e.SignalWorkflow("offer", json.RawMessage(`{"agent":"a1","timeout":"5s"}`))
	})
	e.at(4*time.Second, func() {
		status := e.status()
		require.Equal(t, status.StartedAt.Add(8*time.Second), *status.OfferedUntil)
		e.SignalWorkflow("accept", json.RawMessage(`{"agent":"a1"}`))
	})
	e.at(5*time.Second, func() {
		require.Nil(t, e.status().OfferedUntil)
		e.SignalWorkflow("cancel", json.RawMessage(`{}`))
	})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"web"}`)
	require.NoError(t, e.GetWorkflowError())
}
