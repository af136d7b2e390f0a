package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)

// occasion is an interaction at a moment, with data of its own.
func occasion(data map[string]any) (*interaction.View, *interaction.Event) {
	return &interaction.View{
			Interaction: interaction.Facts{ID: "i-1", ContactCenter: "acme", Channel: interaction.ChannelInbound, StartedAt: at, ANI: "+15550100123"},
			Agent:       &interaction.Agent{ID: "a-1", Name: "Ada <Sample>"},
			UserData:    data,
			Survey:      map[string]any{"nps": 9.0, "why": "quick & kind"},
			Durations:   interaction.Durations{Handle: 95},
		},
		&interaction.Event{Sequence: 4, Moment: interaction.MomentInteractionEnds, At: at}
}

// call reads a configuration with one call; URL in it is the receiver's.
func call(t testing.TB, receiver, text string) *config.Call {
	t.Helper()
	set, err := config.Parse("wire.yaml", []byte("calls:\n  - "+strings.ReplaceAll(text, "URL", receiver)))
	require.NoError(t, err)
	return set.Calls()[0]
}

func newSender(t testing.TB) *delivery.Sender {
	t.Helper()
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	return sender
}

// send renders a call and makes one attempt.
func send(t testing.TB, sender *delivery.Sender, c *config.Call, id string, data map[string]any) contract.Outcome {
	t.Helper()
	view, event := occasion(data)
	rendered, _ := c.Template.Render(id, view, event) // a fault is parked by the sender
	return sender.Send(context.Background(), c.Policy, rendered, 1)
}

// received is a request as a server read it.
type received struct {
	protocol, uri string
	header        http.Header
	body          []byte
}

// receiver is a server that keeps what it reads.
type receiver struct {
	*httptest.Server
	got []received
}

func newReceiver(t testing.TB, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r.keep(answer))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) keep(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.got = append(r.got, received{in.Proto, in.RequestURI, in.Header.Clone(), body})
		if answer != nil {
			in.Body = io.NopCloser(bytes.NewReader(body))
			answer(w, in)
		}
	}
}

// need is a tool that some tests cannot do without: they are skipped without it,
// but not where everything is tested.
func need(t testing.TB, tool, debian string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("there is no %s: apt-get install %s", tool, debian)
	}
	t.Skipf("there is no %s: apt-get install %s", tool, debian)
	return ""
}

// xmllint runs libxml2 on a document.
func xmllint(t testing.TB, document []byte, args ...string) (out string, ok bool) {
	t.Helper()
	command := exec.Command(need(t, "xmllint", "libxml2-utils"), append(args, "--nonet", "-")...)
	command.Stdin = bytes.NewReader(document)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	if err != nil {
		return stderr.String(), false
	}
	return stdout.String(), true
}
