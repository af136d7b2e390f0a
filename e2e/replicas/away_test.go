package replicas_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// commandDeadline is how long a gateway waits for Temporal and the workers.
const commandDeadline = 10 * time.Second

// The bus is killed under load, first with what it has stored, then with nothing left of it.
func TestTheBusIsAway(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startWorker()
	w.startGateway()
	w.startGateway()
	streams := w.follow()
	l := w.begin(12, 4)
	l.awaitMore(100, patience)
	for _, empty := range []bool{false, true} {
		before := l.rate(2 * time.Second)
		w.bus.kill()
		begin := time.Now()
		away := l.rate(time.Duration(reduced(4, 60)) * time.Second)
		w.start(w.replica(0), "while-away-"+string(map[bool]rune{false: 'k', true: 'e'}[empty]))
		if empty {
			w.store = t.TempDir()
		}
		w.startBus()
		l.awaitMore(50, patience)
		t.Logf("%.0f commands/s before, %.0f while the bus was away for %s", before, away, time.Since(begin).Round(time.Second))
	}
	require.Zero(t, l.unavailable.Load()+l.broken.Load(), "every command was answered at once")
	require.Less(t, time.Duration(l.slowest.Load()), quickly())
	returned := time.Now()
	l.end()
	ids := append(l.ids, "while-away-k", "while-away-e")
	w.agree(until(healedWithin, returned), ids...)
	streams.agree(until(2*healedWithin, returned), ids...)
}

// rate returns how many commands a second are acknowledged for a while.
func (l *load) rate(during time.Duration) float64 {
	before, begin := l.acknowledged.Load(), time.Now()
	time.Sleep(during)
	return float64(l.acknowledged.Load()-before) / time.Since(begin).Seconds()
}
