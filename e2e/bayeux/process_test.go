package bayeux_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/bayeux/clients"
)

type (
	clientOptions = clients.Options
	event         = clients.Event
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := clients.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// process is a client that runs under Node.js.
type process struct{ *clients.Process }

// run starts a client, which ends with the test.
func run(t *testing.T, options clientOptions) *process {
	t.Helper()
	return &process{clients.Run(t, options)}
}

// command sends a command to the client.
func (p *process) command(t *testing.T, command, topic string) {
	t.Helper()
	p.Command(t, command, topic)
}

// until returns the events up to the first that is wanted, which is the last.
func (p *process) until(t *testing.T, what string, wanted func(event) bool) []event {
	t.Helper()
	deadline := time.After(time.Minute)
	var before []event
	for {
		select {
		case e, more := <-p.Events:
			require.True(t, more, "the client ended; missing: %s; events: %v", what, last(before, 20))
			before = append(before, e)
			if wanted(e) {
				return before
			}
		case <-deadline:
			require.Fail(t, "missing: "+what, "events: %v", last(before, 20))
		}
	}
}

// named waits for an event.
func (p *process) named(t *testing.T, name string) event {
	t.Helper()
	events := p.until(t, name, func(e event) bool { return e.Event == name })
	return events[len(events)-1]
}

func last(events []event, n int) []event { return events[max(0, len(events)-n):] }
