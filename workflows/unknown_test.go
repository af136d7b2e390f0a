package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// once makes a hand-over one of a call that is not idempotent.
func once(in contract.HandOver) contract.HandOver {
	for i := range in.Requests {
		in.Requests[i].Once = true
	}
	return in
}

// A request whose attempt ends without an outcome may have arrived. If it must not arrive
// twice, it waits for an operator.
func TestAnAttemptWithoutOutcomeIsNotRepeatedIfTheCallIsNotIdempotent(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{{}}
	l.append(0, once(handOver("d1", "d2")))
	l.at(time.Hour, func() {
		require.Equal(t, "d1:parked d2:waiting", l.statuses())
		records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
		require.Equal(t, "timeout", records[0].Class)
	})
	l.signal(2*time.Hour, contract.SignalRedeliver, `{"id":"d1"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "2h0m0s d1 #1", "2h0m0s d2 #1"}, l.tries)
}

// In a batch it would be unknown which requests arrived.
func TestARequestThatMustNotBeRepeatedIsAttemptedAlone(t *testing.T) {
	l := newLane(t)
	l.append(0, once(handOver(ids(150)...)))
	l.run()
	require.Len(t, l.batches, 150)
}

func TestAnAttemptOfAnInteractionWithoutOutcomeIsNotRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		once   bool
		parked bool
	}{"idempotent": {false, false}, "not idempotent": {true, true}} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			fire(e, "inbound.dtmf", "crm")
			plain := e.onDispatch
			e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
				plain(in, result)
				for i := range result.Deliveries {
					result.Deliveries[i].Request.Once = tc.once
				}
			}
			e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
				if tc.once {
					require.Len(t, in.Requests, 1)
				}
				return contract.AttemptResult{}
			}
			e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`}, [2]string{"dtmf", `{"digits":"2"}`})
			e.signals(time.Minute, [2]string{"abandon", `{}`})
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			require.Len(t, e.attempts, 1, "the lane workflow gets the others")
			require.NotEmpty(t, e.handOvers)
			failed := e.handOvers[0].Failed
			if !tc.parked {
				require.Nil(t, failed)
				return
			}
			require.Equal(t, contract.VerdictFinal, failed.Verdict)
			require.Contains(t, failed.Message, "the call is not idempotent: check there, then redeliver or discard")
			require.Contains(t, e.moments(), string(interaction.MomentFault), "and it fires a fault")
		})
	}
}
