package replicas_test

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/embedded"
)

// ownTemporal starts a server for one test, which keeps everything in a database.
func ownTemporal(t *testing.T, db string, port int) *embedded.Server {
	t.Helper()
	o := serverOptions()
	o.DB, o.Port = db, port
	server, err := embedded.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() }) // some are killed
	return server
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return number
}

// Temporal is suspended for longer than anybody waits, then killed and started again, while clients
// send commands and read lists.
func TestTemporalIsSuspendedAndKilled(t *testing.T) {
	parallel(t)
	temporalIsAway(t, filepath.Join(t.TempDir(), "temporal.db"))
}

func temporalIsAway(t *testing.T, db string) {
	server := ownTemporal(t, db, 0)
	w := newWorld(t, server)
	w.startWorker()
	w.startWorker()
	w.startGateway()
	w.startGateway()
	const clients = 12
	streams := w.follow()
	l := w.begin(clients, 4)
	l.awaitMore(int64(reduced(150, 1000)), patience)

	for range reduced(1, 3) {
		require.NoError(t, syscall.Kill(server.PID(), syscall.SIGSTOP))
		resume := time.AfterFunc(2*time.Minute, func() { _ = syscall.Kill(server.PID(), syscall.SIGCONT) })
		unavailable := l.unavailable.Load()
		l.eventually(patience, "clients get 503", func() bool { return l.unavailable.Load() >= unavailable+clients })
		acknowledged := l.acknowledged.Load()
		l.listsGoOn()
		require.Equal(t, acknowledged, l.acknowledged.Load(), "nothing is acknowledged while Temporal is away")
		resume.Stop()
		require.NoError(t, syscall.Kill(server.PID(), syscall.SIGCONT))
		l.awaitMore(int64(reduced(100, 500)), patience)
	}

	for range reduced(1, 3) {
		address := server.Address
		require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
		<-server.Done()
		unavailable := l.unavailable.Load()
		l.eventually(patience, "clients get 503", func() bool { return l.unavailable.Load() >= unavailable+clients })
		l.listsGoOn()
		server = ownTemporal(t, db, portOf(t, address))
		l.awaitMore(int64(reduced(100, 500)), patience)
	}
	w.temporal = server
	l.end()
	require.Zero(t, l.broken.Load(), "a gateway answers every request")
	w.agree(healedWithin, l.ids...)
	streams.agree(healedWithin, l.ids...)
	require.NoError(t, replayAll(context.Background(), server))
}

// listsGoOn requires that lists of open interactions are answered.
func (l *load) listsGoOn() {
	l.Helper()
	for _, g := range l.replicas() {
		found, err := l.list(g, "", nil)
		require.NoError(l, err)
		for _, id := range l.ids {
			require.Contains(l, found, id)
		}
		found, err = l.list(g, "anna", nil)
		require.NoError(l, err)
		require.Empty(l, found)
	}
}
