package replicas_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// load is clients that send commands to some interactions over all replicas, and repeat what is not
// acknowledged with the same key. It is the ledger of what they sent and what was acknowledged.
type load struct {
	*world
	ids    []string
	before []int64 // the sequences at the start

	ending  atomic.Bool
	senders sync.WaitGroup
	// acknowledged counts commands, duplicates those whose first answer was that of a repeat.
	acknowledged, duplicates atomic.Int64
	// unavailable counts answers with 503, broken requests without an answer, checked the repeats of
	// acknowledged commands.
	unavailable, broken, checked atomic.Int64
	slowest                      atomic.Int64 // of the answers with 200

	mu    sync.Mutex
	keys  [][]string     // by interaction: what was sent
	given map[string]int // by interaction and revision: how many answers had it
}

// begin starts interactions and clients.
func (w *world) begin(clients, interactions int) *load {
	w.Helper()
	l := &load{world: w, keys: make([][]string, interactions), given: map[string]int{}}
	for i := range interactions {
		id := fmt.Sprintf("load-%d", i)
		l.ids = append(l.ids, id)
		w.start(w.replica(i), id)
		state, err := w.client.State(w.Context(), w.named(id))
		require.NoError(w, err)
		l.before = append(l.before, state.Sequence)
	}
	for number := range clients {
		l.senders.Go(func() { l.send(number) })
	}
	w.Cleanup(func() {
		l.ending.Store(true)
		l.senders.Wait()
	})
	return l
}

// send is one client.
func (l *load) send(number int) {
	for n := 0; !l.ending.Load(); n++ {
		at := (number + n) % len(l.ids)
		key := fmt.Sprintf("c%d-%d", number, n)
		l.mu.Lock()
		l.keys[at] = append(l.keys[at], key)
		l.mu.Unlock()
		path := "/v1/interactions/" + l.ids[at] + "/commands/dtmf"
		body := fmt.Sprintf(`{"digits":"%d"}`, number*1_000_000+n)
		got, ok := l.repeat(number+n, path, key, body)
		if !ok {
			return
		}
		l.acknowledged.Add(1)
		if got.Duplicate {
			l.duplicates.Add(1)
		} else {
			l.mu.Lock()
			l.given[l.ids[at]+"/"+strconv.FormatInt(got.Revision, 10)]++
			l.mu.Unlock()
		}
		if n%5 != 0 {
			continue
		}
		again, ok := l.repeat(number+n+1, path, key, body)
		if !ok {
			return
		}
		l.checked.Add(1)
		if !again.Duplicate || again.Revision < got.Revision || again.Sequence < got.Sequence {
			l.Errorf("%s: the repeat was answered %+v, the command %+v", key, again, got)
		}
	}
}

// patience is how long a client repeats a command. Temporal gives a task to a suspended worker for 10 s, and several
// times in a row, and refuses updates meanwhile.
const patience = 3 * time.Minute

// repeat sends a command to one replica after the other until it is acknowledged.
func (l *load) repeat(first int, path, key, body string) (contract.Answer, bool) {
	last := ""
	limit := time.Now().Add(patience)
	for try := 0; time.Now().Before(limit); try++ {
		begin := time.Now()
		got, err := l.request(context.WithoutCancel(l.Context()), l.replica(first+try), "", http.MethodPost, path, key, body)
		switch {
		case err != nil:
			l.broken.Add(1)
			last = err.Error()
		case got.status == http.StatusOK:
			took := int64(time.Since(begin))
			for old := l.slowest.Load(); took > old && !l.slowest.CompareAndSwap(old, took); old = l.slowest.Load() {
			}
			return got.command(l), true
		case got.status == http.StatusServiceUnavailable:
			l.unavailable.Add(1)
			last = string(got.body)
			after, err := strconv.Atoi(got.header.Get("Retry-After"))
			if err != nil || after < 1 || after > 30 || got.header.Get("Idempotency-Key") != key {
				l.Errorf("%s: 503 with %v", key, got.header)
			}
		default:
			l.Errorf("%s: %d %s", key, got.status, got.body)
			return contract.Answer{}, false
		}
		time.Sleep(100 * time.Millisecond) // as a client does
	}
	l.Errorf("%s was not acknowledged: %s", key, last)
	return contract.Answer{}, false
}

// awaitMore waits until so many more commands are acknowledged.
func (l *load) awaitMore(commands int64, within time.Duration) {
	l.Helper()
	target := l.acknowledged.Load() + commands
	l.eventually(within, "commands are acknowledged", func() bool { return l.acknowledged.Load() >= target },
		func() string { return fmt.Sprintf("%d of %d", l.acknowledged.Load(), target) })
}

// end waits for the clients, and requires that each command was applied once, was sent to the receiver
// once, and that no two answers claim the same change.
func (l *load) end() {
	l.Helper()
	l.ending.Store(true)
	l.senders.Wait()
	sent := 0
	for i, id := range l.ids {
		state, err := l.client.State(l.Context(), l.named(id))
		require.NoError(l, err)
		require.Equal(l, l.before[i]+int64(len(l.keys[i])), state.Sequence, "%s: each command was applied once", id)
		received, err := l.client.Received(l.Context(), l.named(id))
		require.NoError(l, err)
		for _, key := range l.keys[i] {
			require.True(l, received[key], "%s: %s is on record", id, key)
		}
		sent += len(l.keys[i])
	}
	require.EqualValues(l, sent, l.acknowledged.Load())
	for revision, answers := range l.given {
		require.Equal(l, 1, answers, "%s was answered to several commands", revision)
	}
	l.eventually(time.Minute, "the receiver gets every command", func() bool {
		told, _, _ := l.receiver.counts()
		return told >= sent
	})
	told, doubled, repeated := l.receiver.counts()
	require.Equal(l, sent, told)
	require.Zero(l, doubled, "no command was applied twice")
	l.Logf("%d commands, %d first acknowledged as duplicates, %d repeats checked; %d times 503, %d requests broken, %d deliveries repeated, slowest answer %s",
		sent, l.duplicates.Load(), l.checked.Load(), l.unavailable.Load(), l.broken.Load(), repeated, time.Duration(l.slowest.Load()).Round(time.Millisecond))
}
