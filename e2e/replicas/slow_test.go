package replicas_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Clients that do not read their events are beside clients that do. They slow nobody. When they read
// again, they have every change, or begin again with the present state.
func TestClientsThatDoNotRead(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startWorker()
	w.startGateway()
	w.startGateway()
	clients := reduced(8, 50)
	begin := make(chan struct{})
	var reading, silent followers
	for number := range clients {
		reading = append(reading, w.followAt(number))
		silent = append(silent, w.followLater(number, begin))
	}
	large := strings.Repeat("x", 60_000)
	w.start(w.replica(0), "large")
	l := w.begin(4, 2)
	// More than the buffers between gateway and client hold, and with -full more than a gateway keeps.
	for number := range reduced(150, 1500) {
		w.command(w.replica(number), "", "large", "attach_user_data", fmt.Sprintf(`{"user_data":{"n%d":%d,"large":%q}}`, number%100, number, large))
	}
	if *full {
		time.Sleep(35 * time.Second) // the gateway gives them up
	}
	l.awaitMore(50, patience)
	l.end()
	require.Zero(t, l.unavailable.Load()+l.broken.Load())
	require.Less(t, time.Duration(l.slowest.Load()), quickly())
	ids := append(l.ids, "large")
	w.agree(healedWithin, ids...)
	reading.agree(healedWithin, ids...)
	for _, f := range silent {
		require.Less(t, f.shown["large"], w.truth("large")["large"], "nothing was read")
	}
	close(begin)
	silent.agree(3*healedWithin, ids...)
}
