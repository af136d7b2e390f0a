package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"segue/embedded"
	"segue/starter/listen"
)

// listenPort is the port of `segue listen`, and of every call of the annotated example.
const listenPort = 9100

// okBody is the body of answers if no other is given; web-engagement strategies expect JSON.
const okBody = `{"status":"OK"}`

// longestDelay bounds --delay: longer than the timeout that any call may have.
const longestDelay = 10 * time.Minute

func (a *app) listenCommand() *cobra.Command {
	var port int
	answer := listen.Answer{}
	c := &cobra.Command{
		Use:   "listen",
		Short: "Show the requests that arrive at a port of this machine",
		Long: fmt.Sprintf(`Receive requests at a port of this machine (127.0.0.1), and show each: time, method, path, the status that it is
answered with, moment, webhook-id, and the body. The moment is the first name of one that the URL or the body contains. A
request whose webhook-id has arrived before is marked with the number of the attempt.

Every request gets the same answer. --status 503 plays a receiver that fails, --delay one that is slow. With --json, each
request is one line of JSON with its whole body.

The calls of the annotated example go to port %d. To let the workers of other commands than dev and demo send to this
machine, allow it in guard.allow.

Exit codes: 0 stopped by Ctrl-C; 1 the port is in use; 2 the command line is invalid.`, listenPort),
		Example: `  segue listen
  segue listen --port 9101 --status 503
  segue listen --delay 8s --answer '{"tier":"gold"}'
  segue listen --json | jq -r .body`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkAnswer(port, answer); err != nil {
				return err
			}
			r, err := listen.Start(port, answer, a.showRequest)
			if errors.Is(err, syscall.EADDRINUSE) {
				return &embedded.PortInUseError{Port: port, Flag: "--port"}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.errs, "Listening on %s. Ctrl-C stops it.\n", r.URL)
			err = r.Wait(c.Context())
			return errors.Join(err, r.Stop())
		},
	}
	flags := c.Flags()
	flags.IntVar(&port, "port", listenPort, "port to listen on (0: a free one)")
	flags.IntVar(&answer.Status, "status", http.StatusOK, "status of every answer")
	flags.DurationVar(&answer.Delay, "delay", 0, "time before every answer")
	flags.StringVar(&answer.Body, "answer", okBody, "body of every answer")
	return c
}

func checkAnswer(port int, answer listen.Answer) error {
	switch {
	case port < 0 || port > 65535:
		return usage("--port %d: use 1 to 65535, or 0 for a free port", port)
	case answer.Status < 200 || answer.Status > 599:
		return usage("--status %d: use 200 to 599", answer.Status)
	case answer.Delay < 0 || answer.Delay > longestDelay:
		return usage("--delay %s: use 0s to %s", answer.Delay, longestDelay)
	}
	return nil
}

// showRequest writes a request to stdout: with --json as a line of JSON.
func (a *app) showRequest(r listen.Request) {
	// Who reads may have gone, which is no reason to fail a request.
	if a.json {
		_ = json.NewEncoder(a.out).Encode(r)
		return
	}
	_ = r.Write(a.out, isColored(a.out))
}

// isColored reports whether text for w may have colors.
func isColored(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// listenFlags are those of dev for its own receiver.
type listenFlags struct {
	port int
	// set is whether --listen is there.
	set bool
}

// receiver starts the receiver of dev: at --listen, or without a configuration at the port of the annotated example. It
// returns nil if there is none: another program, such as `segue listen`, may be the receiver of the example.
func (a *app) receiver(f listenFlags) (*listen.Receiver, error) {
	if f.port < 0 || f.port > 65535 {
		return nil, usage("--listen %d: use 1 to 65535, or 0 for a free port", f.port)
	}
	if !f.set && a.configFile() != "" {
		return nil, nil
	}
	w := a.out
	if a.json {
		w = a.errs
	}
	r, err := listen.Start(f.port, ownAnswer, func(r listen.Request) { _ = r.Write(w, isColored(w)) })
	if !errors.Is(err, syscall.EADDRINUSE) {
		return r, err
	}
	if f.set {
		return nil, &embedded.PortInUseError{Port: f.port, Flag: "--listen"}
	}
	fmt.Fprintf(a.errs, "Port %d is in use: what listens there gets the requests of the annotated example. --listen 0 shows them here.\n", f.port)
	return nil, nil
}

// ownAnswer is what every request to the receiver of dev is answered with. The tier is what the call crm of the example
// returns into user data.
var ownAnswer = listen.Answer{Status: http.StatusOK, Body: `{"status":"OK","tier":"gold"}`}
