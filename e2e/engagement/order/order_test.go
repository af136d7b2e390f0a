package order_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An engage that failed is retried after three seconds, and arrives after the noengage of its attempt. Neither is lost,
// and the backend can tell that they are about the same attempt.
func TestARetriedEngageSaysWhichAttemptItIsAbout(t *testing.T) {
	t.Parallel()
	const visit, id = "retried", "visit-retried"
	var withdrawn atomic.Bool
	backend.plan(visit, func(c call) int {
		if c.name == "engage" && !withdrawn.Load() {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	require.EqualValues(t, 1, do(t, "engage", `{"visitID":"retried"}`)["attempt"])
	arrives(t, visit, "engage 503")
	do(t, "noengage", `{"visitID":"retried"}`)
	arrives(t, visit, "noengage 200")
	withdrawn.Store(true)
	arrives(t, visit, "engage 200")
	end(t, id, "engage delivered", "noengage delivered")
	_, calls := backend.of(visit)
	for _, one := range calls {
		require.Equal(t, calls[0].attempt, one.attempt)
		require.Contains(t, one.attempt, "interaction=visit-retried; attempt=1; run=")
		if one.name == "engage" {
			require.Equal(t, []string{calls[0].key, calls[0].body}, []string{one.key, one.body}, "a repeat has the same id and bytes")
		}
	}
}

// A backend that is Segue itself gets a callback late: the attempt is over, or replaced. It invites nobody, and withdraws
// nothing.
func TestAnOwnCallbackThatIsLateInvitesNobody(t *testing.T) {
	t.Parallel()
	const visit = "late"
	do(t, "engage", `{"visitID":"late","page":"a"}`)
	arrives(t, visit, "engage 200")
	_, calls := backend.of(visit)
	require.EqualValues(t, 2, do(t, "engage", `{"visitID":"late","page":"b"}`)["attempt"])
	for range 2 { // the network delivers it late, and twice
		answer := do(t, "engage", calls[0].body, "Segue-Engagement", calls[0].attempt, "Idempotency-Key", calls[0].key)
		require.Equal(t, []any{"engaging", true, 2.0}, []any{answer["state"], answer["duplicate"], answer["attempt"]})
	}
	do(t, "noengage", `{"visitID":"late"}`)
	arrives(t, visit, "noengage 200")
	answer := do(t, "engage", calls[0].body, "Segue-Engagement", calls[0].attempt, "Idempotency-Key", calls[0].key)
	require.Equal(t, []any{"completed", true}, []any{answer["state"], answer["duplicate"]})

	// The next invitation of the visit is another interaction, which a late noengage of the first does not end.
	_, calls = backend.of(visit)
	withdrawal := calls[slices.IndexFunc(calls, func(c call) bool { return c.name == "noengage" })]
	require.EqualValues(t, 1, do(t, "engage", `{"visitID":"late","page":"c"}`)["attempt"])
	answer = do(t, "noengage", withdrawal.body, "Segue-Engagement", withdrawal.attempt, "Idempotency-Key", withdrawal.key)
	require.Equal(t, []any{"engaging", true}, []any{answer["state"], answer["duplicate"]})
}

// Each answer has the attempt of its own request, also if they are answered together.
func TestConcurrentEngagesAnswerTheirOwnAttempts(t *testing.T) {
	t.Parallel()
	const visit, requests = "crowd", 40
	require.EqualValues(t, 1, do(t, "engage", `{"visitID":"crowd","page":"first"}`)["attempt"])
	attempts := map[float64]string{}
	var mu sync.Mutex
	var sending sync.WaitGroup
	for i := range requests {
		sending.Go(func() {
			page := fmt.Sprint("p", i)
			body := fmt.Sprintf(`{"visitID":"crowd","page":%q}`, page)
			attempt, isKnown, err := engageUntilStored(t.Context(), gateways[i%2], body, fmt.Sprint("key-", i))
			if err != nil {
				t.Errorf("%s: %s", page, err)
			}
			if !isKnown {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if other, taken := attempts[attempt]; taken {
				t.Errorf("%s and %s were both answered with attempt %v", page, other, attempt)
			}
			attempts[attempt] = page
		})
	}
	sending.Wait()
	require.NotEmpty(t, attempts)
	for attempt := range attempts {
		require.True(t, attempt >= 2 && attempt <= requests+1, attempt)
	}
	status, answer, err := send(t.Context(), http.MethodGet, gateways[0]+"/v1/interactions/visit-crowd", "")
	require.NoError(t, err)
	require.Equal(t, 200, status, answer)
	state, _ := answer.(map[string]any)
	engagement, _ := state["engagement"].(map[string]any)
	require.EqualValues(t, requests+1, engagement["attempts"])
	profile, _ := engagement["profile"].(map[string]any)
	if page, isKnown := attempts[requests+1]; isKnown {
		require.Equal(t, page, profile["page"], "the last attempt is that of its request")
	}
}

// engageUntilStored sends an engage with a key until it is stored, and returns the attempt in the answer. It is not known if
// the gateway of a slow machine was asked again: the answer of a repeat has the present attempt.
func engageUntilStored(ctx context.Context, gateway, body, key string) (attempt float64, isKnown bool, err error) {
	isRepeat := false
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(pollEvery) {
		status, answer, err := send(ctx, http.MethodPost, gateway+"/server/data/gateway/engage", body, "Idempotency-Key", key)
		if err != nil {
			return 0, false, err
		}
		fields, _ := answer.(map[string]any)
		_, isDuplicate := fields["duplicate"]
		switch {
		case status == http.StatusServiceUnavailable:
			isRepeat = true
		case status != http.StatusOK, isDuplicate && !isRepeat:
			return 0, false, fmt.Errorf("%d %v", status, answer)
		case isDuplicate:
			return 0, false, nil
		default:
			attempt, _ := fields["attempt"].(float64)
			return attempt, true, nil
		}
	}
	return 0, false, fmt.Errorf("not stored in time")
}
