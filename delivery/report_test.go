package delivery_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// repeated is a number of attempts that take the same time and have the same class.
type repeated struct {
	times int
	took  time.Duration
	class delivery.Class
}

func TestAReportIsWhatTheLastAttemptsShow(t *testing.T) {
	fast := repeated{20, 10 * time.Millisecond, delivery.ClassOK}
	cases := map[string]struct {
		attempts []repeated
		then     time.Duration
		state    contract.ReceiverState
		p95      int64
	}{
		"nothing is known":                {state: contract.ReceiverHealthy},
		"fast":                            {attempts: []repeated{fast}, state: contract.ReceiverHealthy, p95: 10},
		"less than a millisecond":         {attempts: []repeated{{1, time.Microsecond, delivery.ClassOK}}, state: contract.ReceiverHealthy, p95: 1},
		"a little too slow to be inline":  {attempts: []repeated{{20, 80 * time.Millisecond, delivery.ClassOK}}, state: contract.ReceiverSlow, p95: 80},
		"slow":                            {attempts: []repeated{{3, 200 * time.Millisecond, delivery.ClassOK}}, state: contract.ReceiverSlow, p95: 200},
		"one of twenty is slow":           {attempts: []repeated{{1, time.Second, delivery.ClassOK}, {19, 10 * time.Millisecond, delivery.ClassOK}}, state: contract.ReceiverHealthy, p95: 10},
		"two of twenty are slow":          {attempts: []repeated{fast, {2, time.Second, delivery.ClassOK}}, state: contract.ReceiverSlow, p95: 1000},
		"slow, and then fast":             {attempts: []repeated{{20, time.Second, delivery.ClassOK}, fast}, state: contract.ReceiverHealthy, p95: 10},
		"slow long ago":                   {attempts: []repeated{{3, time.Second, delivery.ClassOK}}, then: 11 * time.Minute, state: contract.ReceiverHealthy},
		"the last one failed":             {attempts: []repeated{fast, {1, 10 * time.Millisecond, delivery.ClassHTTP5xx}}, state: contract.ReceiverFailing, p95: 10},
		"it failed and has recovered":     {attempts: []repeated{{20, 10 * time.Millisecond, delivery.ClassHTTP5xx}, fast}, state: contract.ReceiverHealthy, p95: 10},
		"a 410 is no failure":             {attempts: []repeated{fast, {1, 10 * time.Millisecond, delivery.ClassGone}}, state: contract.ReceiverHealthy, p95: 10},
		"a 410 is no sign of health":      {attempts: []repeated{{1, 10 * time.Millisecond, delivery.ClassHTTP5xx}, {1, 10 * time.Millisecond, delivery.ClassGone}}, state: contract.ReceiverFailing, p95: 10},
		"blocked by us":                   {attempts: []repeated{{20, 0, delivery.ClassBlocked}}, state: contract.ReceiverHealthy},
		"unanswered attempts are slow":    {attempts: []repeated{{4, 3 * time.Second, delivery.ClassTimeout}}, state: contract.ReceiverFailing, p95: 3000},
		"the breaker is open":             {attempts: []repeated{{5, 0, delivery.ClassRefused}}, state: contract.ReceiverBreakerOpen},
		"the breaker waits for its probe": {attempts: []repeated{{5, 0, delivery.ClassRefused}}, then: time.Minute, state: contract.ReceiverBreakerOpen},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := delivery.NewHealth(delivery.Limits{})
				for _, r := range c.attempts {
					for range r.times {
						attempt(t, h, r.took, r.class)
					}
				}
				time.Sleep(c.then) // of the bubble's time
				state, p95 := h.Report()
				require.Equal(t, c.state, state)
				require.Equal(t, c.p95, p95)
			})
		})
	}
}
