package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// personal are values of a caller that must not be in the log.
var personal = []string{"4915112345678", "A Caller", "private", "agent.7", "ada@example.com"}

func requireNothingPersonal(t *testing.T, logged string) {
	t.Helper()
	for _, value := range personal {
		require.NotContains(t, logged, value)
	}
}

func TestTheLogOfARefusedSignalHasNoValue(t *testing.T) {
	for _, tc := range []struct{ signal, payload, want string }{
		{"set_attributes", `{"ani":{"number":"+4915112345678","name":"A Caller"}}`, `command=set_attributes field=ani reason="not a string`},
		{"offer", `{"agent":{"id":"agent.7 (private +4915112345678)\n"}}`, `command=offer field=agent reason="holds a control character`},
		{"hold", `{"agent":"agent.7"}`, `command=hold field="" reason="not legal in state started"`},
		{"call 4915112345678", `{}`, `command=unknown field="" reason="no such command`},
		{"attach_user_data", `{"user_data":{"ada@example.com":"A Caller\u0000"}}`, `command=attach_user_data field=user_data reason="holds a NUL`},
		{"attach_user_data", `{"user_data":{"ada@example.com":1,"ada@example.com":2}}`, `command=attach_user_data field=user_data reason="the key occurs twice`},
		{"attach_user_data", `"A Caller"`, `command=attach_user_data field="" reason="not an object`},
		{"lane_result", `{"call":4915112345678}`, `command=lane_result field=call reason="must be of type string"`},
		{"lane_result", `{"call":"4915112345678","results":[{"id":"private"}]}`, `command=lane_result field=results reason="names a delivery that this interaction has not`},
	} {
		t.Run(tc.signal, func(t *testing.T) {
			e := newEnv(t)
			e.RegisterDelayedCallback(func() { e.SignalWorkflow(tc.signal, json.RawMessage(tc.payload)) }, time.Second)
			e.signals(time.Minute, [2]string{"abandon", `{}`})
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			requireNothingPersonal(t, e.logged.String())
			require.Contains(t, e.logged.String(), tc.want)
		})
	}
}

// An interaction that is reopened, such as one of a visit, gets the results of the deliveries of the one before: that
// is ordinary, and must not be logged as refused.
func TestAReportToTheInteractionBeforeIsNotLogged(t *testing.T) {
	for firstRun, logged := range map[string]int{"another": 0, "": 1} {
		e := newEnv(t)
		e.RegisterDelayedCallback(func() {
			e.SignalWorkflow("lane_result", map[string]any{"call": "crm", "first_run_id": firstRun, "results": []map[string]any{{"id": "d1", "status": "delivered"}}})
		}, time.Second)
		e.signals(time.Minute, [2]string{"abandon", `{}`})
		e.start(startInbound)
		require.NoError(t, e.GetWorkflowError())
		require.Equal(t, logged, strings.Count(e.logged.String(), "signal rejected"), firstRun)
	}
}

func TestARefusedSignalOfALaneIsLoggedWithoutValues(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{{}}
	l.append(0, handOver("d1"))
	l.signal(time.Second, contract.SignalDiscard, `{"id":"agent.7 private"}`)
	l.signal(time.Second, contract.SignalRedeliver, `{"id":4915112345678}`)
	l.signal(time.Second, "call A Caller", `{}`)
	l.signal(time.Minute, contract.SignalDiscard, `{"id":"d1"}`)
	l.run()
	requireNothingPersonal(t, l.logged.String())
	require.Equal(t, 3, strings.Count(l.logged.String(), "signal rejected"))
}

func TestTheLogOfManyRefusedSignalsIsSampled(t *testing.T) {
	e := newEnv(t)
	for second := range 10 {
		e.RegisterDelayedCallback(func() {
			for i := range 25 {
				e.SignalWorkflow("offer", json.RawMessage(fmt.Sprintf(`{"agent":{"id":"agent.7 (private)\n%d"}}`, i)))
			}
		}, time.Duration(second+1)*time.Second)
	}
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, 5+2, strings.Count(e.logged.String(), "signal rejected"))
}
