package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"segue/contract"
	"segue/workflows"
)

func TestTheHeartbeatTimeoutIsHalfOfTheLongestTimeout(t *testing.T) {
	for name, tc := range map[string]struct {
		timeouts []time.Duration
		want     time.Duration
	}{
		"none is long":         {[]time.Duration{0, 0}, 5 * time.Second},
		"no requests":          {nil, 5 * time.Second},
		"shorter than usual":   {[]time.Duration{time.Second}, 5 * time.Second},
		"a little longer":      {[]time.Duration{11 * time.Second}, 5500 * time.Millisecond},
		"half":                 {[]time.Duration{40 * time.Second}, 20 * time.Second},
		"the longest of many":  {[]time.Duration{0, 30 * time.Second, 20 * time.Second}, 15 * time.Second},
		"at the bound":         {[]time.Duration{time.Minute}, 30 * time.Second},
		"never beyond a bound": {[]time.Duration{10 * time.Minute}, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var requests []contract.Request
			for _, timeout := range tc.timeouts {
				requests = append(requests, contract.Request{Timeout: timeout})
			}
			require.Equal(t, tc.want, workflows.HeartbeatTimeout(requests))
		})
	}
}

// heartbeatTimeouts collects the heartbeat timeouts of attempts.
func heartbeatTimeouts(into *[]time.Duration) func(*activity.Info, context.Context, converter.EncodedValues) {
	return func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == contract.ActivityAttempt {
			*into = append(*into, info.HeartbeatTimeout)
		}
	}
}

func TestAttemptsWithLongTimeoutsHeartbeatLessOften(t *testing.T) {
	t.Run("of a lane", func(t *testing.T) {
		l := newLane(t)
		var got []time.Duration
		l.SetOnActivityStartedListener(heartbeatTimeouts(&got))
		in := handOver("d1", "d2")
		in.Requests[1].Timeout = time.Minute
		l.append(0, in)
		l.run()
		require.Equal(t, []time.Duration{5 * time.Second, 30 * time.Second}, got)
	})
	t.Run("of an interaction", func(t *testing.T) {
		e := newEnv(t)
		var got []time.Duration
		e.SetOnActivityStartedListener(heartbeatTimeouts(&got))
		fire(e, "inbound.dtmf", "crm")
		plain := e.onDispatch
		e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
			plain(in, result)
			for i := range result.Deliveries {
				result.Deliveries[i].Request.Timeout = 20 * time.Second
			}
		}
		e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
		e.signals(time.Minute, [2]string{"abandon", `{}`})
		e.start(startInbound)
		require.NoError(t, e.GetWorkflowError())
		require.Equal(t, []time.Duration{10 * time.Second}, got)
	})
}
