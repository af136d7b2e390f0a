package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/connect"
	"segue/embedded"
	"segue/embedded/postgres"
)

var state = temporal.NewSearchAttributeKeyKeyword("SegueState")

func dial(t *testing.T, server *embedded.Server) client.Client {
	t.Helper()
	c, err := connect.Dial(t.Context(), connect.Settings{Address: server.Address, Namespace: server.Namespace}, nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// startWorkflow starts a workflow that no worker runs.
func startWorkflow(t *testing.T, c client.Client, id string) {
	t.Helper()
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(state.ValueSet("queued")),
	}, "Interaction")
	require.NoError(t, err)
}

func TestAStartedServerIsReadyForWorkflowsAndServesItsUI(t *testing.T) {
	var log bytes.Buffer
	server := start(t, embedded.Options{
		Namespace: "contact-center", SearchAttributes: map[string]string{"SegueState": "Keyword", "SegueParked": "Int"}, Log: &log,
	})
	require.Equal(t, "contact-center", server.Namespace)
	require.NoError(t, server.Err())

	response, err := http.Get(server.UI + "/namespaces/contact-center/workflows")
	require.NoError(t, err)
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	http.DefaultClient.CloseIdleConnections()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, string(page), "<html")

	// At once, without a wait or a retry.
	startWorkflow(t, dial(t, server), "interaction/acme/1")

	require.NoError(t, server.Stop())
	require.NoError(t, server.Stop(), "a second Stop changes nothing")
	<-server.Done()
	require.NoError(t, server.Err(), "it was stopped")
	require.False(t, listens(server.Address))
	require.Empty(t, log.String(), "starting and stopping log nothing")
}

func TestAServerWithoutUIHasNoUI(t *testing.T) {
	require.Empty(t, start(t, embedded.Options{UIPort: embedded.NoUI}).UI)
}

func TestTheServerDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentRole+"=1")
	parent.Stderr = os.Stderr
	stdout, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())

	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var server child
	require.NoError(t, json.Unmarshal(line, &server))
	require.True(t, listens(server.Address))
	require.False(t, isGone(server.PID))

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // the error is "killed", as expected

	// Its first thread can end shortly before the last one releases the ports.
	require.Eventually(t, func() bool { return isGone(server.PID) }, patience, pollEvery)
	require.Eventually(t, func() bool { return !listens(server.Address) }, patience, pollEvery)
	require.Eventually(t, func() bool { return !listens(strings.TrimPrefix(server.UI, "http://")) }, patience, pollEvery)
}

func TestAServerThatDiesReportsAnError(t *testing.T) {
	server := start(t, embedded.Options{UIPort: embedded.NoUI})
	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGKILL))
	<-server.Done()
	require.ErrorContains(t, server.Err(), "ended by itself")
	require.ErrorContains(t, server.Err(), "killed")
	require.NoError(t, server.Stop())
	require.Error(t, server.Err(), "a later Stop does not clear the error")
}

func TestAPortInUseIsReportedWithItsFlag(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	for _, test := range []struct {
		opts embedded.Options
		flag string
	}{
		{embedded.Options{Port: port}, "--temporal-port"},
		{embedded.Options{UIPort: port}, "--ui-port"},
		{embedded.Options{UIPort: port, UIPortFlag: "--web"}, "--web"},
	} {
		_, err := embedded.Start(t.Context(), test.opts)
		var inUse *embedded.PortInUseError
		require.ErrorAs(t, err, &inUse)
		require.Equal(t, port, inUse.Port)
		require.Equal(t, test.flag, inUse.Flag)
		require.ErrorContains(t, err, "already in use")
	}
}

func TestADatabaseKeepsEverythingOverRestarts(t *testing.T) {
	opts := embedded.Options{
		// The name has characters with a meaning in a URI.
		DB:               filepath.Join(t.TempDir(), "kept state 100%?.db"),
		UIPort:           embedded.NoUI,
		SearchAttributes: map[string]string{"SegueState": "Keyword"},
	}
	first := start(t, opts)
	startWorkflow(t, dial(t, first), "stopped")

	_, err := embedded.Start(t.Context(), opts)
	require.ErrorContains(t, err, "in use by another embedded Temporal")

	require.NoError(t, first.Stop())
	second := start(t, opts)
	c := dial(t, second)
	_, err = c.DescribeWorkflowExecution(t.Context(), "stopped", "")
	require.NoError(t, err)
	startWorkflow(t, c, "killed")

	require.NoError(t, syscall.Kill(second.PID(), syscall.SIGKILL))
	<-second.Done()
	opts.SearchAttributes["SegueParked"] = "Int" // a later version adds another one
	c = dial(t, start(t, opts))
	for _, id := range []string{"stopped", "killed"} {
		_, err = c.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
	}
	missing, err := connect.Missing(t.Context(), c, "default")
	require.NoError(t, err)
	require.NotContains(t, missing, "SegueParked")
	require.NotContains(t, missing, "SegueState")
}

func TestPostgreSQLKeepsEverythingOverRestarts(t *testing.T) {
	database := postgres.ForTest(t)
	opts := embedded.Options{
		DB: database.URL("segue"), UIPort: embedded.NoUI, SearchAttributes: map[string]string{"SegueState": "Keyword"},
	}
	first := start(t, opts)
	startWorkflow(t, dial(t, first), "stopped")

	_, err := embedded.Start(t.Context(), opts)
	require.ErrorContains(t, err, "in use by another embedded Temporal")
	require.NotContains(t, err.Error(), database.Password())

	require.NoError(t, first.Stop())
	second := start(t, opts)
	c := dial(t, second)
	_, err = c.DescribeWorkflowExecution(t.Context(), "stopped", "")
	require.NoError(t, err)
	startWorkflow(t, c, "killed")

	require.NoError(t, syscall.Kill(second.PID(), syscall.SIGKILL))
	<-second.Done()
	opts.SearchAttributes["SegueParked"] = "Int" // a later version adds another one
	opts.DB = strings.Replace(opts.DB, ":"+database.Password(), "", 1)
	t.Setenv("PGPASSWORD", database.Password())
	c = dial(t, start(t, opts))
	for _, id := range []string{"stopped", "killed"} {
		_, err = c.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		found, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "SegueState = 'queued' AND SegueParked IS NULL"})
		return err == nil && len(found.GetExecutions()) == 2
	}, patience, pollEvery, "visibility is kept, too")
}

func TestAnUnusablePostgreSQLIsReportedWithoutItsPassword(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := closed.Addr().String()
	require.NoError(t, closed.Close())
	for url, wants := range map[string][]string{
		"postgres://segue:hidden-word@" + nobody + "/segue":            {nobody, "connect to the database segue", "connection refused"},
		"postgres://segue:hidden-word@" + nobody + "/":                 {nobody, `the database "" must have 1 to 52`},
		"postgres://segue:hidden-word@" + nobody + "/a%22b":            {nobody, "must have 1 to 52"},
		"postgres://segue:hidden-word@" + nobody + "/segue?sslmode=no": {nobody, "not a PostgreSQL URL"},
		"postgres://segue:hidden-word@[::1/segue":                      {"not a valid URL", "percent-encode"},
	} {
		_, err := embedded.Start(t.Context(), embedded.Options{DB: url, UIPort: embedded.NoUI})
		require.NotContains(t, fmt.Sprint(err), "hidden-word")
		for _, want := range wants {
			require.ErrorContains(t, err, want)
		}
	}

	database := postgres.ForTest(t)
	_, err = embedded.Start(t.Context(), embedded.Options{UIPort: embedded.NoUI, DB: strings.Replace(database.URL("segue"), database.Password(), "hidden-word", 1)})
	require.ErrorContains(t, err, "password authentication failed")
	require.NotContains(t, err.Error(), "hidden-word")
}

func TestAStartThatIsCanceledLeavesNothingBehind(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := embedded.Start(ctx, embedded.Options{})
	require.ErrorIs(t, err, context.Canceled)
}
