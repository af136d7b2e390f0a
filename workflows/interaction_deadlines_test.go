package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// ruled makes Dispatch return rules; the overflow queue has no overflow itself.
func ruled(e *env, rules contract.Rules) {
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		here := rules
		if in.Turns[len(in.Turns)-1].View.Interaction.Queue == rules.Overflow {
			here.Overflow = ""
		}
		result.Rules = &here
	}
}

func timeouts(t contract.Timeouts) contract.Rules { return contract.Rules{Timeouts: t} }

func TestTimersFire(t *testing.T) {
	offered := [][2]string{{"place_in_queue", `{"queue":"sales"}`}, {"offer", `{"agent":{"id":"a1"}}`}}
	handling := append(offered[:2:2], [2]string{"accept", `{"agent":{"id":"a1"}}`})
	for name, c := range map[string]struct {
		rules    contract.Rules
		channel  string
		commands [][2]string
		outcome  interaction.Outcome
		after    time.Duration // the start of the workflow
		fires    string
	}{
		"a queue without an overflow ends": {
			rules: timeouts(contract.Timeouts{Queue: time.Minute}), commands: offered[:1],
			outcome: interaction.OutcomeOverflowed, after: time.Minute, fires: "overflow.business_process",
		},
		"a queue overflows into another": {
			rules:    contract.Rules{Timeouts: contract.Timeouts{Queue: time.Minute, Lifetime: time.Hour}, Overflow: "backup"},
			commands: offered[:1], outcome: interaction.OutcomeOverflowed, after: 2 * time.Minute, fires: "agent_needed",
		},
		"after a missed offer it waits in its queue again": {
			rules:    timeouts(contract.Timeouts{Offer: 30 * time.Second, Lifetime: time.Hour}),
			commands: offered, outcome: interaction.OutcomeExpired, after: time.Hour, fires: "missed.agent",
		},
		"after a missed offered transfer it waits in its queue again": {
			rules:    timeouts(contract.Timeouts{Offer: 30 * time.Second, Queue: time.Minute}),
			commands: append(handling[:3:3], [2]string{"transfer", `{"to":{"agent":"a2"},"mode":"offer"}`}),
			outcome:  interaction.OutcomeOverflowed, after: 90 * time.Second, fires: "missed.agent",
		},
		"an offer's own timeout takes precedence": {
			rules:    timeouts(contract.Timeouts{Offer: 30 * time.Minute, Queue: time.Minute}),
			commands: [][2]string{offered[0], {"offer", `{"agent":{"id":"a1"},"timeout":"5s"}`}},
			outcome:  interaction.OutcomeOverflowed, after: time.Minute, fires: "missed.agent",
		},
		"misses are counted": {
			rules:    contract.Rules{Timeouts: contract.Timeouts{Offer: 30 * time.Second, Lifetime: time.Hour}, MaxMisses: 1},
			commands: offered, outcome: interaction.OutcomeOverflowed, after: 30 * time.Second, fires: "overflow.business_process",
		},
		"a wrap-up ends": {
			rules:    timeouts(contract.Timeouts{WrapUp: 2 * time.Minute}),
			commands: append(handling[:3:3], [2]string{"disconnect", `{}`}), outcome: interaction.OutcomeHandled, after: 2 * time.Minute, fires: "wrap_up.agent",
		},
		"a wrap-up of 0s ends at once": {
			rules:    timeouts(contract.Timeouts{}),
			commands: append(handling[:3:3], [2]string{"disconnect", `{}`}), outcome: interaction.OutcomeHandled, fires: "wrap_up.agent",
		},
		"an engagement without a result ends": {
			rules: timeouts(contract.Timeouts{Engagement: time.Minute}), channel: "web",
			commands: [][2]string{{"engage", `{"ixnProfile":{}}`}}, outcome: interaction.OutcomeNotEngaged, after: time.Minute, fires: "engagement_result",
		},
		"the lifetime ends": {
			rules: timeouts(contract.Timeouts{Lifetime: time.Hour}), commands: handling,
			outcome: interaction.OutcomeExpired, after: time.Hour, fires: "interaction_ends",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			ruled(e, c.rules)
			e.signals(time.Second, c.commands...)
			begin := e.Now()
			channel := c.channel
			if channel == "" {
				channel = "inbound"
			}
			e.start(`{"id":"i-1","contact_center":"cc","channel":"` + channel + `"}`)
			require.NoError(t, e.GetWorkflowError())
			var last contract.State
			require.NoError(t, e.GetWorkflowResult(&last))
			require.Equal(t, c.outcome, last.Outcome)
			require.Contains(t, e.moments(), c.fires)
			require.Equal(t, "interaction_ends", e.moments()[len(e.moments())-1])
			require.InDelta(t, c.after.Seconds(), e.Now().Sub(begin).Seconds(), 1.5)
			require.Zero(t, last.RejectedCount)
		})
	}
}

func TestAChangedTimeoutAppliesToARunningInteraction(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{Queue: time.Hour}))
	e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`})
	e.RegisterDelayedCallback(func() {
		ruled(e, timeouts(contract.Timeouts{Queue: 10 * time.Minute}))
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"1"}`)) // its dispatch brings the new one
	}, time.Minute)
	begin := e.Now()
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.InDelta(t, (10 * time.Minute).Seconds(), e.Now().Sub(begin).Seconds(), 2)
}

func TestAnOrphanOfALateSignalWithStartEnds(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{Orphan: 5 * time.Minute, Lifetime: time.Hour}))
	e.RegisterDelayedCallback(func() { e.SignalWorkflow("hold", json.RawMessage(`{}`)) }, 0)
	begin := e.Now()
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, interaction.OutcomeExpired, last.Outcome)
	require.Less(t, e.Now().Sub(begin), 61*time.Minute)
}

func TestTimersContinueAfterContinueAsNew(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{Queue: 10 * time.Minute}))
	e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`})
	e.RegisterDelayedCallback(func() { e.SetContinueAsNewSuggested(true) }, 4*time.Minute)
	e.signals(5*time.Minute, [2]string{"dtmf", `{"digits":"1"}`})
	e.start(startInbound)
	carried := asContinued(t, e.GetWorkflowError())
	now := e.Now()

	e = newEnv(t)
	e.SetStartTime(now)
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), carried)
	require.NoError(t, e.GetWorkflowError())
	require.InDelta(t, (5 * time.Minute).Seconds(), e.Now().Sub(now).Seconds(), 2)
}
