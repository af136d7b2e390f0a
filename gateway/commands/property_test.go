package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/commands"
)

// Whatever the callers, their patience, and the failures: every caller is answered, no command is
// sent twice, one update is in flight at a time, the order of each caller is kept, and who succeeds
// was sent.
func TestAnyInterleaving(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playAtRandom(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func playAtRandom(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex // guards random and inFlight
	inFlight := 0
	chance := func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }
	to := &target{answer: func(ctx context.Context, _ sent) error {
		mu.Lock()
		inFlight++
		concurrent := inFlight
		mu.Unlock()
		require.Equal(t, 1, concurrent)
		defer func() { mu.Lock(); inFlight--; mu.Unlock() }()
		pause := time.Duration(chance(300)) * time.Millisecond
		if chance(40) == 0 {
			pause = time.Hour // no answer
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return client.ErrNoWorker
		}
		if chance(10) == 0 {
			return client.ErrUnreachable
		}
		return nil
	}}
	s := commands.NewTo(to, nil)
	succeeded := map[string]bool{}
	var callers sync.WaitGroup
	for caller := range 1 + chance(20) {
		callers.Go(func() {
			for n := range 1 + chance(10) {
				time.Sleep(time.Duration(chance(200)) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+chance(5000))*time.Millisecond)
				ids, err := sendSome(ctx, s, fmt.Sprintf("%d.%d", caller, n), chance(4))
				isDone := ctx.Err() != nil
				cancel()
				if err == nil {
					mu.Lock()
					for _, id := range ids {
						succeeded[id] = true
					}
					mu.Unlock()
					continue
				}
				require.True(t, errors.Is(err, client.ErrUnreachable) || errors.Is(err, client.ErrNoWorker) && isDone, "%v", err)
			}
		})
	}
	callers.Wait()
	time.Sleep(commands.GroupWait) // the last update whose callers have gone
	synctest.Wait()
	requireIdle(t, s)
	checkSent(t, to.sentIDs(), succeeded)
}

// sendSome sends one command, or an array of some.
func sendSome(ctx context.Context, s *commands.Sender, id string, more int) ([]string, error) {
	if more == 0 {
		_, err := s.Send(ctx, name, "dtmf", dtmf(id+".0"))
		return []string{id + ".0"}, err
	}
	var ids []string
	var array []json.RawMessage
	for i := range more {
		ids = append(ids, fmt.Sprintf("%s.%d", id, i))
		array = append(array, element(ids[i]))
	}
	results, err := s.SendAll(ctx, name, array)
	for _, result := range results {
		err = errors.Join(err, result.Err)
	}
	return ids, err
}

func checkSent(t *testing.T, updates [][]string, succeeded map[string]bool) {
	seen := map[string]bool{}
	last := map[int][2]int{}
	for _, ids := range updates {
		for _, id := range ids {
			require.False(t, seen[id], "%s was sent twice", id)
			seen[id] = true
			var caller, n, i int
			_, err := fmt.Sscanf(id, "%d.%d.%d", &caller, &n, &i)
			require.NoError(t, err)
			before, sentBefore := last[caller]
			require.True(t, !sentBefore || n > before[0] || n == before[0] && i == before[1]+1, "%s is out of order", id)
			last[caller] = [2]int{n, i}
		}
	}
	for id := range succeeded {
		require.True(t, seen[id], "%s succeeded and was not sent", id)
	}
}
