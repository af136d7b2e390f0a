package replicas_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/embedded"
)

// Gateways are killed at random moments under load. What they did not answer, clients send again with
// the same key, to another one.
func TestKilledGateways(t *testing.T) {
	parallel(t)
	gatewaysAreKilled(t, temporal, reduced(6, 30))
}

func gatewaysAreKilled(t *testing.T, server *embedded.Server, kills int) {
	w := newWorld(t, server)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	streams := w.follow()
	l := w.begin(16, 4)
	// By chance, the first kills may meet nothing.
	hasMet := func() bool { return l.broken.Load() > 0 && l.duplicates.Load() > 0 }
	for n := 0; n < kills || n < 5*kills && !hasMet(); n++ {
		l.awaitMore(20+random.Int64N(40), patience)
		time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond)))) // anywhere within an update
		killed := w.replica(random.IntN(2))
		killed.kill()
		w.drop(killed)
		w.startGateway()
	}
	l.end()
	require.Positive(t, l.broken.Load(), "kills met requests")
	require.Positive(t, l.duplicates.Load(), "some were killed between commit and answer")
	w.agree(healedWithin, l.ids...)
	streams.agree(healedWithin, l.ids...)
}
