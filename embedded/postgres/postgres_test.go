package postgres_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/embedded/postgres"
)

// parentRole makes this test binary act as a process that starts a server and is then killed.
const parentRole = "SEGUE_TEST_POSTGRES_PARENT"

const (
	patience  = time.Minute
	pollEvery = 10 * time.Millisecond
)

func TestMain(m *testing.M) {
	if os.Getenv(parentRole) == "" {
		os.Exit(m.Run())
	}
	server, err := postgres.Start(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(server.Address())
	select {}
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// temporary makes servers store everything in a directory of the test, which the server's user may enter.
func temporary(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "segue-postgres-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(directory, 0o777))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(directory)) })
	t.Setenv("TMPDIR", directory)
	return directory
}

func isEmpty(t *testing.T, directory string) bool {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(directory, "*"))
	require.NoError(t, err)
	return len(left) == 0
}

func TestAServerListensAndLeavesNothingBehind(t *testing.T) {
	directory := temporary(t)
	server := postgres.ForTest(t)
	require.True(t, listens(server.Address()))
	require.Equal(t, "postgres://segue:"+server.Password()+"@"+server.Address()+"/shop?sslmode=disable", server.URL("shop"))
	require.False(t, isEmpty(t, directory))

	require.NoError(t, server.Stop())
	require.NoError(t, server.Stop(), "a second Stop changes nothing")
	require.False(t, listens(server.Address()))
	require.True(t, isEmpty(t, directory))
}

func TestSeveralServersRunAtOnce(t *testing.T) {
	first, second := postgres.ForTest(t), postgres.ForTest(t)
	require.NotEqual(t, first.Address(), second.Address())
	require.NotEqual(t, first.Password(), second.Password())
}

func TestAnInvalidSettingIsQuoted(t *testing.T) {
	directory := temporary(t)
	postgres.ForTest(t) // skips where there is none
	_, err := postgres.Start(t.Context(), "no_such_setting=1")
	require.ErrorContains(t, err, "no_such_setting")
	entries, err := os.ReadDir(directory)
	require.NoError(t, err)
	require.Len(t, entries, 1, "only the other server's")
}

func TestTheServerDiesWithItsParent(t *testing.T) {
	directory := temporary(t)
	require.NoError(t, postgres.ForTest(t).Stop()) // skips where there is none
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentRole+"=1")
	parent.Stderr = os.Stderr
	stdout, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var address string
	_, err = fmt.Fscanln(stdout, &address)
	require.NoError(t, err)
	require.True(t, listens(address))

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // the error is "killed", as expected
	require.Eventually(t, func() bool { return !listens(address) && isEmpty(t, directory) }, patience, pollEvery)
}

func TestWithoutPostgreSQLTheErrorSaysWhatToInstall(t *testing.T) {
	postgres.NotInstalled(t)
	_, err := postgres.Start(t.Context())
	require.ErrorIs(t, err, postgres.ErrNotInstalled)
	require.ErrorContains(t, err, "apt-get install postgresql")
}
