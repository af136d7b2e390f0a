package connect_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/goleak"

	"segue/connect"
	"segue/embedded"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// address is that of a Temporal whose only namespace has none of Segue's search attributes.
var address string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	server, err := embedded.Start(context.Background(), embedded.Options{
		UIPort: embedded.NoUI, Progress: func(what string) { fmt.Fprintln(os.Stderr, what) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	address = server.Address
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// runs keeps the tests apart from their own repetitions (-count).
var runs atomic.Int64

// fresh returns a namespace name that was not used before.
func fresh(name string) string { return fmt.Sprintf("%s-%d", name, runs.Add(1)) }

func dial(t *testing.T, namespace string) client.Client {
	t.Helper()
	c, err := connect.Dial(t.Context(), connect.Settings{Address: address, Namespace: namespace}, nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
