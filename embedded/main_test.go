package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/embedded"
)

// parentRole makes this test binary act as a process that starts a server and can then be killed.
const parentRole = "SEGUE_TEST_PARENT"

// patience is how long a test waits for an expected event.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(parentRole) != "" {
		playParent()
		return
	}
	goleak.VerifyTestMain(m)
}

func playParent() {
	server, err := embedded.Start(context.Background(), embedded.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(child{PID: server.PID(), Address: server.Address, UI: server.UI})
	<-server.Done()
}

// child is what the parent role reports about its server.
type child struct {
	PID         int
	Address, UI string
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T, opts embedded.Options) *embedded.Server {
	t.Helper()
	opts.Progress = func(what string) { t.Log(what) }
	server, err := embedded.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

// listens reports whether a process accepts connections on an address.
func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// isGone reports whether a process has ended; a zombie has.
func isGone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}
