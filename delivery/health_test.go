package delivery_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// attempt gets a permit, takes its time and ends with a class.
func attempt(t *testing.T, h *delivery.Health, took time.Duration, class delivery.Class) {
	t.Helper()
	leave, refused, _ := h.Enter(context.Background())
	require.NotNil(t, leave, refused)
	time.Sleep(took)
	leave(class)
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		for range 4 {
			attempt(t, h, 0, delivery.ClassRefused)
		}
		attempt(t, h, 0, delivery.ClassHTTP4xx) // an answer, so the receiver lives
		for range 5 {
			assert.False(t, h.Open())
			attempt(t, h, 0, delivery.ClassTimeout)
		}
		assert.True(t, h.Open())
		for i := range 100 {
			leave, class, in := h.Enter(context.Background())
			require.Nil(t, leave)
			assert.Equal(t, delivery.ClassBreakerOpen, class)
			if i == 0 {
				assert.InDelta(t, 10*time.Second, in, float64(2*time.Millisecond), "one is delayed to the probe")
				continue
			}
			assert.GreaterOrEqual(t, in, 11*time.Second, "the others until its outcome is known")
			assert.LessOrEqual(t, in, 21*time.Second)
		}

		time.Sleep(10*time.Second + time.Nanosecond)
		assert.False(t, h.Open())
		probe, _, _ := h.Enter(context.Background())
		require.NotNil(t, probe, "one probe")
		leave, class, in := h.Enter(context.Background())
		require.Nil(t, leave, "no other while it is in flight")
		assert.Equal(t, delivery.ClassBreakerOpen, class)
		assert.GreaterOrEqual(t, in, time.Second)
		probe(delivery.ClassTimeout)
		assert.True(t, h.Open())

		time.Sleep(10*time.Second + time.Nanosecond)
		attempt(t, h, 0, delivery.ClassOK)
		assert.False(t, h.Open())
		attempt(t, h, 0, delivery.ClassOK)
	})
}

func TestFailuresOnOurSideDoNotOpenTheBreaker(t *testing.T) {
	h := delivery.NewHealth(delivery.Limits{})
	for range 20 {
		attempt(t, h, 0, delivery.ClassBlocked)
	}
	assert.False(t, h.Open())
}

func TestAReceiverThatAnswers503KeepsTheBreakerClosed(t *testing.T) {
	h := delivery.NewHealth(delivery.Limits{})
	for range 20 {
		attempt(t, h, 0, delivery.ClassHTTP5xx)
	}
	assert.False(t, h.Open(), "it says itself when to retry")
	assert.False(t, h.Inline())
}

func TestAReceiverThatRejectsEverythingIsNotInline(t *testing.T) {
	h := delivery.NewHealth(delivery.Limits{})
	for _, class := range []delivery.Class{delivery.ClassGone, delivery.ClassHTTP4xx, delivery.ClassRedirect, delivery.ClassSOAPFault} {
		attempt(t, h, 0, class)
		assert.False(t, h.Inline(), class)
		assert.False(t, h.Open(), class)
		attempt(t, h, 0, delivery.ClassOK)
		assert.True(t, h.Inline(), class)
	}
}

func TestOnlyKnownFastHealthyReceiversAreInline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		assert.False(t, h.Inline(), "unknown")
		attempt(t, h, 75*time.Millisecond, delivery.ClassOK)
		assert.True(t, h.Inline())
		attempt(t, h, 0, delivery.ClassHTTP5xx)
		assert.False(t, h.Inline(), "failing, however fast")
		attempt(t, h, 0, delivery.ClassOK)
		assert.True(t, h.Inline())

		attempt(t, h, 100*time.Millisecond, delivery.ClassOK)
		assert.False(t, h.Inline(), "slower than 75 ms")
		for range 16 {
			assert.False(t, h.Inline())
			attempt(t, h, time.Millisecond, delivery.ClassOK)
		}
		assert.True(t, h.Inline(), "one in twenty may be slow")

		time.Sleep(11 * time.Minute)
		assert.False(t, h.Inline(), "no longer known")
	})
}

func TestASlowReceiverNeedsFastResponsesToBeInlineAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{})
		attempt(t, h, time.Millisecond, delivery.ClassOK)
		leave, _, _ := h.Enter(context.Background())
		time.Sleep(149 * time.Millisecond)
		synctest.Wait()
		assert.True(t, h.Inline())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.False(t, h.Inline(), "while it still runs")
		leave(delivery.ClassOK)
		for range 7 {
			attempt(t, h, time.Millisecond, delivery.ClassOK)
		}
		attempt(t, h, 80*time.Millisecond, delivery.ClassOK) // not fast: from the beginning
		for range 8 {
			assert.False(t, h.Inline())
			attempt(t, h, time.Millisecond, delivery.ClassOK)
		}
	})
}

func TestAnUnknownReceiverGetsOneAttemptAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, known := range map[string]func(leave func(delivery.Class)){
			"until it has answered":       func(leave func(delivery.Class)) { leave(delivery.ClassOK) },
			"until it is seen to be slow": func(func(delivery.Class)) { time.Sleep(150 * time.Millisecond) },
		} {
			h := delivery.NewHealth(delivery.Limits{})
			first, _, _ := h.Enter(context.Background())
			entered := make(chan func(delivery.Class), 200)
			for range 200 {
				go func() {
					leave, _, _ := h.Enter(context.Background())
					entered <- leave
				}()
			}
			synctest.Wait()
			assert.Empty(t, entered, name)
			known(first)
			synctest.Wait()
			assert.Len(t, entered, 200, name)
			for range 200 {
				leave := <-entered
				require.NotNil(t, leave)
				leave(delivery.ClassOK)
			}
		}
	})
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{Concurrency: 2})
		attempt(t, h, 0, delivery.ClassOK)
		one, _, _ := h.Enter(context.Background())
		assert.True(t, h.Inline())
		_, _, _ = h.Enter(context.Background())
		assert.False(t, h.Inline(), "full")

		results := make(chan delivery.Class, 101)
		begin := time.Now()
		for range 101 {
			go func() {
				leave, class, _ := h.Enter(context.Background())
				if leave != nil {
					class = delivery.ClassOK
				}
				results <- class
			}()
		}
		synctest.Wait()
		require.Len(t, results, 1, "100 may wait")
		assert.Equal(t, delivery.ClassLimited, <-results)
		one(delivery.ClassOK)
		assert.Equal(t, delivery.ClassOK, <-results, "the next in the queue goes")
		for range 99 {
			assert.Equal(t, delivery.ClassLimited, <-results)
		}
		assert.Equal(t, 2*time.Second, time.Since(begin), "none waits for longer")
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := delivery.NewHealth(delivery.Limits{Rate: 20})
		begin := time.Now()
		for range 41 {
			attempt(t, h, 0, delivery.ClassOK)
		}
		assert.InDelta(t, 2.0, time.Since(begin).Seconds(), 0.01)
		assert.False(t, h.Inline(), "no token")
	})
}

func TestAttemptsAreDelayedAtALowRate(t *testing.T) {
	h := delivery.NewHealth(delivery.Limits{Rate: 0.1})
	attempt(t, h, 0, delivery.ClassOK)
	leave, class, in := h.Enter(context.Background())
	assert.Nil(t, leave)
	assert.Equal(t, delivery.ClassLimited, class)
	assert.Greater(t, in, 9*time.Second)
}
