package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The desktop of examples/gwsclient answers what an agent was offered before it signed in and what comes later, and completes
// each as it prints.
func TestTheDesktopOfTheExamplesWorksForAnAgent(t *testing.T) {
	t.Parallel()
	folder := installed(t, "../examples/gwsclient")
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	dev := startDev(t, "--config", configFor(t, receiver.URL))
	offer := func(id, channel string) {
		dev.post(t, "/v1/interactions", fmt.Sprintf(
			`{"id":%q,"channel":%q,"commands":[{"command":"place_in_queue","queue":"sales"},{"command":"offer","agent":"ada"}]}`, id, channel))
	}

	offer("chat-1", "chat")
	desktop := startDesktop(t, folder, dev.ready.Gateway, "--interactions", "3")
	desktop.await(t, "< /v2/me/channels voice Ready, chat Ready, email Ready")
	offer("call-1", "inbound")
	offer("email-1", "email")
	printed := desktop.rest(t)

	for _, line := range []string{
		"> Accept chat-1", "> Complete chat-1",
		"> Answer call-1", "> Hangup call-1", "> Complete call-1",
		"> Accept email-1", "> Reply email-1", "> Send email-1~1", "> Complete email-1",
	} {
		require.Equal(t, 1, strings.Count(printed, line+"\n"), "%s in\n%s", line, printed)
	}
	for _, line := range []string{"StatusChange chat-1 Chatting [", "StatusChange call-1 Ringing [", "StatusChange email-1~1 Composing [",
		"StatusChange email-1 Completed []"} {
		require.Contains(t, printed, line)
	}
	require.NotContains(t, printed, "\n! ")

	require.Contains(t, dev.get(t, "/api/v2/me", "ada"), `"channels":[]`, "the desktop has ended its session")
	for id, outcome := range map[string]string{"chat-1": "handled", "call-1": "handled", "email-1": "handled", "email-1~1": "sent"} {
		got := dev.interaction(t, id)
		require.Equal(t, "completed", got.State, id)
		require.Equal(t, outcome, got.Outcome, id)
		require.Equal(t, "ada", got.Agent.ID, id)
		if outcome == "handled" {
			require.Equal(t, "SOLVED", got.Disposition.Code, id)
			require.Equal(t, "ada", got.Disposition.Agent, id)
		}
	}
}

// A desktop that cannot sign in says why, and ends.
func TestTheDesktopOfTheExamplesNamesWhyItCannotSignIn(t *testing.T) {
	folder := installed(t, "../examples/gwsclient")
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"statusCode":20,"statusMessage":"No valid credential"}`)
	}))
	gone := refusing.URL
	for _, want := range []string{"as ada: GET /me: 20 No valid credential", "as ada: connect ECONNREFUSED"} {
		command := exec.CommandContext(t.Context(), "node", "desktop.mjs")
		command.Dir, command.Env = folder, append(bare(), "SEGUE_GATEWAY="+gone)
		output, err := command.CombinedOutput()
		var exited *exec.ExitError
		require.ErrorAs(t, err, &exited, string(output))
		require.Equal(t, 1, exited.ExitCode(), string(output))
		require.Contains(t, string(output), want)
		refusing.Close()
	}
}

// desktop is the running example.
type desktop struct {
	command *exec.Cmd
	out     *bufio.Reader
	printed strings.Builder
}

func startDesktop(t *testing.T, folder, gateway string, args ...string) *desktop {
	t.Helper()
	d := &desktop{command: exec.CommandContext(t.Context(), "node", append([]string{"desktop.mjs"}, args...)...)}
	d.command.Dir = folder
	d.command.Env = append(bare(), "SEGUE_GATEWAY="+gateway)
	d.command.Stderr = os.Stderr
	out, err := d.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, d.command.Start())
	hurry := time.AfterFunc(time.Minute, func() { _ = d.command.Process.Kill() }) // then its output ends
	t.Cleanup(func() {
		hurry.Stop()
		_ = d.command.Process.Kill() // it has usually ended by then
	})
	d.out = bufio.NewReader(out)
	return d
}

// await reads until the desktop prints a line.
func (d *desktop) await(t *testing.T, line string) {
	t.Helper()
	for {
		got, err := d.out.ReadString('\n')
		d.printed.WriteString(got)
		require.NoError(t, err, d.printed.String())
		if strings.TrimSuffix(got, "\n") == line {
			return
		}
	}
}

// rest waits until the desktop has ended by itself, and returns all that it has printed.
func (d *desktop) rest(t *testing.T) string {
	t.Helper()
	rest, err := io.ReadAll(d.out)
	require.NoError(t, err)
	d.printed.Write(rest)
	require.NoError(t, d.command.Wait(), d.printed.String())
	return d.printed.String()
}

// post sends a request to the gateway, which must create something.
func (d *devProcess) post(t *testing.T, path, body string) {
	t.Helper()
	response, err := http.Post(d.ready.Gateway+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, response.StatusCode, string(text))
}

// get returns the answer of the gateway to an agent; without one, to a platform.
func (d *devProcess) get(t *testing.T, path, agent string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.ready.Gateway+path, nil)
	require.NoError(t, err)
	if agent != "" {
		request.SetBasicAuth(agent, "any")
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(text))
	return string(text)
}

// played is what an interaction became.
type played struct {
	State, Outcome string
	Agent          struct{ ID string }
	Disposition    struct{ Code, Agent string }
}

func (d *devProcess) interaction(t *testing.T, id string) played {
	t.Helper()
	var got played
	require.NoError(t, json.Unmarshal([]byte(d.get(t, "/v1/interactions/"+id, "")), &got))
	return got
}
