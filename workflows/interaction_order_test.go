package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

const gap = 2 * time.Second

// inOrder returns an environment in which missing numbers are waited for.
func inOrder(t *testing.T) *env {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{SequenceGap: gap, Lifetime: time.Hour, LateEvents: time.Minute, Orphan: 5 * time.Minute}))
	return e
}

// numbered adds a source_sequence to a payload.
func numbered(n int, payload string) string {
	return strings.Replace(fmt.Sprintf(`{"source_sequence":%d,%s`, n, payload[1:]), ",}", "}", 1)
}

func dtmf(n int) [2]string {
	return [2]string{"dtmf", numbered(n, fmt.Sprintf(`{"digits":"%d"}`, n))}
}

// at runs a check some time after the start.
func (e *env) at(after time.Duration, check func()) { e.RegisterDelayedCallback(check, after) }

func (e *env) status() contract.State {
	return query[contract.State](e, contract.QueryState)
}

func (e *env) update(id, name, payload string) *updateCallbacks {
	var update updateCallbacks
	e.UpdateWorkflow(name, id, &update, json.RawMessage(payload))
	return &update
}

// digits returns the digits of the dtmf events, in the order of dispatch.
func (e *env) digits() string {
	var digits string
	for _, event := range e.events {
		if event.Moment == "inbound.dtmf" {
			digits += event.Fields["digits"].(string)
		}
	}
	return digits
}

func TestReorderedSignalsAreAppliedInOrder(t *testing.T) {
	e := inOrder(t)
	e.signals(time.Second,
		[2]string{"accept", numbered(3, `{"agent":"a1"}`)}, [2]string{"place_in_queue", numbered(1, `{"queue":"sales"}`)})
	e.signals(2*time.Second, [2]string{"complete", numbered(4, `{"disposition":{"code":"SOLD"}}`)})
	e.at(2500*time.Millisecond, func() {
		require.Equal(t, interaction.StateQueued, e.status().State)
		e.SignalWorkflow("offer", json.RawMessage(numbered(2, `{"agent":"a1"}`)))
	})
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, interaction.OutcomeHandled, last.Outcome)
	require.Zero(t, last.RejectedCount)
	require.Zero(t, last.Gaps)
}

func TestAMissingNumberIsWaitedForAndThenGivenUp(t *testing.T) {
	e := inOrder(t)
	var timers []time.Duration
	e.SetOnTimerScheduledListener(func(_ string, duration time.Duration) { timers = append(timers, duration) })
	e.signals(time.Second, dtmf(1), dtmf(3))
	e.at(2*time.Second, func() {
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(5)[1]))
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"9"}`)) // has no number and does not wait
	})
	e.at(2900*time.Millisecond, func() { require.Equal(t, "19", e.digits()) })
	e.at(3100*time.Millisecond, func() {
		require.Equal(t, "193", e.digits(), "3 has waited its two seconds, 5 has not")
		require.Equal(t, 1, e.status().Gaps)
	})
	e.at(4100*time.Millisecond, func() {
		require.Equal(t, "1935", e.digits())
		status := e.status()
		require.Equal(t, 2, status.Gaps)
		require.Equal(t, "2 4", fmt.Sprint(status.Missing[0], " ", status.Missing[1]))
		e.SignalWorkflow("dtmf", json.RawMessage(numbered(2, `{"digits":"2","event_id":"two"}`)))
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(5)[1]))
		e.SignalWorkflow("queue_event", json.RawMessage(numbered(5, `{"event":"another"}`)))
	})
	e.at(5*time.Second, func() {
		require.Equal(t, "1935", e.digits(), "none of it is applied")
		rejected := query[[]contract.Rejected](e, contract.QueryRejected)
		require.Len(t, rejected, 2)
		require.Equal(t, "two", rejected[0].EventID)
		require.True(t, strings.HasPrefix(rejected[0].Reason, "late: source_sequence 2"), rejected[0].Reason)
		require.True(t, strings.HasPrefix(rejected[1].Reason, "repeated: source_sequence 5"), rejected[1].Reason)
		require.Equal(t, 1, e.status().Duplicates)
		e.SignalWorkflow("abandon", json.RawMessage(numbered(6, `{}`)))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Contains(t, timers, gap)
}

func TestAnUpdateWithAMissingNumberBeforeItIsJudgedInOrder(t *testing.T) {
	e := inOrder(t)
	var ahead, repeat, illegal, malformed, inTurn *updateCallbacks
	e.at(time.Second, func() {
		ahead = e.update("u1", "offer", numbered(3, `{"agent":"a1","event_id":"o"}`))
		repeat = e.update("u2", "offer", numbered(3, `{"agent":"a1","event_id":"o"}`))
		illegal = e.update("u3", "hold", numbered(4, `{}`)) // legal in no state here; it is judged after number 3
		malformed = e.update("u4", "offer", numbered(5, `{"agent":{"id":true}}`))
		inTurn = e.update("u5", "place_in_queue", numbered(1, `{"queue":"sales"}`))
	})
	e.at(1500*time.Millisecond, func() {
		require.Equal(t, contract.ErrorInvalidPayload, errorType(t, malformed.rejected))
		require.Equal(t, interaction.StateQueued, inTurn.answer.(contract.Answer).State)
		require.Nil(t, ahead.answer)
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(2)[1]))
	})
	e.at(1600*time.Millisecond, func() {
		answer := ahead.answer.(contract.Answer)
		require.Equal(t, interaction.StateOffered, answer.State)
		require.False(t, answer.Duplicate)
		require.True(t, repeat.answer.(contract.Answer).Duplicate)
		require.NoError(t, illegal.rejected, "only its shape was checked")
		require.Equal(t, contract.ErrorIllegalCommand, errorType(t, illegal.failed))
		require.Contains(t, illegal.failed.Error(), "hold is not legal in state offered")
		require.Zero(t, e.status().RejectedCount, "an update's refusal is its answer")
		e.SignalWorkflow("abandon", json.RawMessage(numbered(5, `{}`)))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestAnUpdateBehindALostCommandIsAnswered(t *testing.T) {
	e := inOrder(t)
	var first, second, late *updateCallbacks
	e.at(time.Second, func() {
		first = e.update("u1", "place_in_queue", numbered(2, `{"queue":"sales"}`))
		second = e.update("u2", "hold", numbered(4, `{}`))
	})
	e.at(2900*time.Millisecond, func() { require.Nil(t, first.answer) })
	e.at(3100*time.Millisecond, func() {
		require.Equal(t, interaction.StateQueued, first.answer.(contract.Answer).State)
		require.Equal(t, contract.ErrorIllegalCommand, errorType(t, second.failed))
		late = e.update("u3", "dtmf", dtmf(1)[1])
	})
	e.at(3200*time.Millisecond, func() {
		require.Equal(t, contract.ErrorIllegalCommand, errorType(t, late.failed))
		require.Contains(t, late.failed.Error(), "late: source_sequence 1")
		require.Equal(t, 1, e.status().RejectedCount, "a late command is recorded, also if it is an update")
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestElementsOfAnArrayAreJudgedInOrder(t *testing.T) {
	e := inOrder(t)
	var array *updateCallbacks
	e.at(time.Second, func() {
		array = e.update("u1", contract.UpdateCommands, `[
			{"command":"dtmf","digits":"2","source_sequence":2},
			{"command":"dtmf","digits":"9"},
			{"command":"hold","source_sequence":4},
			{"command":"teleport","source_sequence":5},
			{"command":"dtmf","digits":"1","source_sequence":1},
			{"command":"dtmf","digits":"1","source_sequence":1}]`)
	})
	e.at(1500*time.Millisecond, func() {
		require.Nil(t, array.answer, "4 waits for 3")
		require.Equal(t, "912", e.digits())
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(3)[1]))
	})
	e.at(2*time.Second, func() {
		results := array.answer.([]contract.CommandResult)
		require.Len(t, results, 6)
		require.Nil(t, results[0].Error)
		require.Greater(t, results[0].Sequence, results[4].Sequence, "each has the answer of the time when it was judged")
		require.Equal(t, contract.ErrorIllegalCommand, results[2].Error.Type)
		require.Equal(t, contract.ErrorInvalidPayload, results[3].Error.Type)
		require.True(t, results[5].Duplicate)
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestTheStartMayHaveANumber(t *testing.T) {
	e := inOrder(t)
	e.signals(time.Second, [2]string{"abandon", numbered(8, `{}`)})
	begin := e.Now()
	e.start(numbered(7, startInbound))
	require.NoError(t, e.GetWorkflowError())
	require.Less(t, e.Now().Sub(begin), 2*time.Second)
}

func TestWaitingCommandsAreReleasedWhenTheInteractionEnds(t *testing.T) {
	for name, end := range map[string]func(e *env){
		"completed": func(e *env) { e.SignalWorkflow("abandon", json.RawMessage(`{}`)) },
		"canceled":  func(e *env) { e.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			e := inOrder(t)
			var waiting *updateCallbacks
			e.at(time.Second, func() {
				waiting = e.update("u1", "place_in_queue", numbered(3, `{"queue":"sales"}`))
				e.SignalWorkflow("dtmf", json.RawMessage(dtmf(2)[1]))
			})
			e.at(1100*time.Millisecond, func() { end(e) })
			begin := e.Now()
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			require.Less(t, e.Now().Sub(begin), 2*time.Second, "nothing is waited for")
			require.Equal(t, contract.ErrorIllegalCommand, errorType(t, waiting.failed))
			var last contract.State
			require.NoError(t, e.GetWorkflowResult(&last))
			require.Equal(t, 1, last.RejectedCount, "the waiting signal")
		})
	}
}

// TestLateDataIsAppliedInOrder: late data may arrive out of order, too.
func TestLateDataIsAppliedInOrder(t *testing.T) {
	e := inOrder(t)
	e.signals(time.Second, [2]string{"accept", numbered(1, `{"agent":"a1"}`)}, [2]string{"complete", numbered(2, `{}`)},
		[2]string{"set_disposition", numbered(4, `{"code":"SOLD"}`)})
	e.signals(2*time.Second, [2]string{"survey", numbered(3, `{"answers":{"q":1}}`)})
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, "SOLD", last.Disposition.Code)
	require.Equal(t, map[string]any{"q": 1.0}, last.Survey)
	require.Zero(t, last.RejectedCount)

	// The timer late_events has fired, and with it the wait for the missing number has ended.
	e = newEnv(t)
	ruled(e, timeouts(contract.Timeouts{SequenceGap: time.Minute, LateEvents: 10 * time.Second}))
	e.signals(time.Second, [2]string{"accept", numbered(1, `{"agent":"a1"}`)}, [2]string{"complete", numbered(2, `{}`)},
		[2]string{"set_disposition", numbered(4, `{"code":"SOLD"}`)})
	begin := e.Now()
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, 1, last.RejectedCount)
	require.InDelta(t, 11, e.Now().Sub(begin).Seconds(), 1)
}

func TestNumbersAreIgnoredWhereOrderIsOff(t *testing.T) {
	e := newEnv(t)
	var illegal *updateCallbacks
	e.signals(time.Second, dtmf(3), dtmf(1))
	e.at(2*time.Second, func() {
		require.Equal(t, "31", e.digits())
		illegal = e.update("u1", "hold", numbered(9, `{}`))
		ruled(e, timeouts(contract.Timeouts{SequenceGap: time.Minute}))
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(4)[1])) // its Dispatch brings the window
	})
	e.signals(3*time.Second, dtmf(6))
	e.at(4*time.Second, func() {
		require.Error(t, illegal.rejected, "the validator judged it")
		require.Equal(t, "314", e.digits())
		ruled(e, timeouts(contract.Timeouts{}))
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"0"}`)) // and takes it away
	})
	e.at(5*time.Second, func() {
		require.Equal(t, "31406", e.digits())
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestAWaitContinuesAfterContinueAsNew(t *testing.T) {
	e := inOrder(t)
	e.at(time.Second, func() { e.SetContinueAsNewSuggested(true) })
	e.signals(1500*time.Millisecond, dtmf(1), dtmf(3), dtmf(5))
	e.start(startInbound)
	carried := asContinued(t, e.GetWorkflowError())
	require.Len(t, carried.Sequence.Buffered, 2)
	now := e.Now()

	e = inOrder(t)
	e.SetStartTime(now)
	e.signals(time.Second, dtmf(4))
	e.at(1900*time.Millisecond, func() { require.Empty(t, e.digits()) })
	e.at(2100*time.Millisecond, func() {
		require.Equal(t, "345", e.digits(), "two seconds after they arrived, not after the run began")
		e.SignalWorkflow("abandon", json.RawMessage(numbered(6, `{}`)))
	})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), carried)
	require.NoError(t, e.GetWorkflowError())
}

// TestARunIsNotRenewedWhileAnUpdateWaits: the handler of an update cannot be carried over.
func TestARunIsNotRenewedWhileAnUpdateWaits(t *testing.T) {
	e := inOrder(t)
	var waiting *updateCallbacks
	e.at(time.Second, func() {
		waiting = e.update("u1", "place_in_queue", numbered(2, `{"queue":"sales"}`))
		e.SetContinueAsNewSuggested(true)
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(4)[1]))
	})
	begin := e.Now()
	e.start(startInbound)
	carried := asContinued(t, e.GetWorkflowError())
	require.InDelta(t, 3, e.Now().Sub(begin).Seconds(), 1)
	require.Equal(t, interaction.StateQueued, waiting.answer.(contract.Answer).State)
	require.Len(t, carried.Sequence.Buffered, 0, "4 came with it and has waited as long")
}

// TestMalformedAndStrayNumbersDoNotDelayOthers: a malformed command uses no number, and a number
// far ahead does not change the order.
func TestMalformedAndStrayNumbersDoNotDelayOthers(t *testing.T) {
	e := inOrder(t)
	e.signals(time.Second,
		[2]string{"dtmf", `{"source_sequence":9007199254740991,"digits":"7"}`},
		[2]string{"dtmf", `{"source_sequence":1e300,"digits":"7"}`},
		[2]string{"dtmf", `{"source_sequence":0,"digits":"7"}`},
		[2]string{"dtmf", `{"source_sequence":"1","digits":"7"}`},
		[2]string{"dtmf", `{"source_sequence":1,"digits":"x"}`},
		[2]string{"teleport", `{"source_sequence":1}`},
		dtmf(1), dtmf(2),
	)
	e.at(1100*time.Millisecond, func() {
		require.Equal(t, "12", e.digits())
		rejected := query[[]contract.Rejected](e, contract.QueryRejected)
		require.Len(t, rejected, 6)
		require.True(t, strings.HasPrefix(rejected[0].Reason, "ahead: source_sequence 9007199254740991"), rejected[0].Reason)
	})
	for half := range 2 { // the environment takes no 1,200 at once
		var burst [][2]string
		for n := range 600 {
			burst = append(burst, [2]string{"dtmf", numbered(600*half+n+4, `{"digits":"5"}`)}) // 3 is missing
		}
		e.signals(time.Duration(1200+50*half)*time.Millisecond, burst...)
	}
	e.signals(1300*time.Millisecond, dtmf(3))
	e.at(1400*time.Millisecond, func() {
		require.Equal(t, "12"+strings.Repeat("5", 1200), e.digits(), "at most a thousand wait")
		require.Equal(t, 7, e.status().RejectedCount)
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

// TestAnOrphanWithAWaitingSignalEnds: an interaction ends if its only signal waited for a
// missing number, was refused, and no command follows.
func TestAnOrphanWithAWaitingSignalEnds(t *testing.T) {
	e := newEnv(t)
	ruled(e, timeouts(contract.Timeouts{SequenceGap: gap, Orphan: 5 * time.Minute, Lifetime: time.Hour}))
	e.RegisterDelayedCallback(func() { e.SignalWorkflow("hold", json.RawMessage(numbered(2, `{}`))) }, 0)
	begin := e.Now()
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, 1, last.RejectedCount)
	require.InDelta(t, (5 * time.Minute).Seconds(), e.Now().Sub(begin).Seconds(), 1)
}
