package embedded

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// NoUI as Options.UIPort starts a server without its UI.
const NoUI = -1

// startLimit bounds the start of a server that is already built, which takes well under a second on an idle machine.
const startLimit = 60 * time.Second

// Options configure a server. The zero value is a server with a temporary database on free ports.
type Options struct {
	// Port is where the Temporal API listens on loopback; 0 takes a free port.
	Port int
	// UIPort is where the Temporal UI listens on loopback; 0 takes a free port, NoUI serves none.
	UIPort int
	// DB is the SQLite file to keep everything in, or the URL of a PostgreSQL database
	// ("postgres://user:password@host:port/name", beside which name_visibility is created); without it, everything is in
	// a temporary database that ends with the server.
	DB string
	// Namespace is created at start; without a name it is "default".
	Namespace string
	// SearchAttributes are registered with the namespace: name to type, as in {"SegueState": "Keyword"}.
	SearchAttributes map[string]string
	// UICodecEndpoint is the codec server that the UI decodes payloads with, if any.
	UICodecEndpoint string
	// Log receives what the server writes to its standard error; nil discards it. Without LogLevel that is errors only.
	Log io.Writer
	// LogLevel is the least level that the server logs: debug, info, warn or error.
	LogLevel string
	// Progress gets messages for people about long steps, such as building the server the first time.
	Progress func(string)
	// PortFlag and UIPortFlag are the flags of the two ports in the caller's program; errors name them. By default they are
	// --temporal-port and --ui-port, as in `segue dev`.
	PortFlag, UIPortFlag string
}

// Start finds or builds the server, starts it, and returns when it can be used. The context bounds only the start: a
// started server runs until Stop is called or this process ends.
func Start(ctx context.Context, opts Options) (*Server, error) {
	opts = opts.withDefaults()
	if err := opts.portsAreFree(); err != nil {
		return nil, err
	}
	binary, err := Binary(ctx, opts.Progress)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit,
		fmt.Errorf("the embedded Temporal was not ready within %s", startLimit))
	defer cancel()
	return launch(ctx, binary, opts)
}

func (o Options) withDefaults() Options {
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.LogLevel == "" {
		o.LogLevel = "error"
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.PortFlag == "" {
		o.PortFlag = "--temporal-port"
	}
	if o.UIPortFlag == "" {
		o.UIPortFlag = "--ui-port"
	}
	return o
}

// arguments returns the command line of the child.
func (o Options) arguments() []string {
	args := []string{
		"--exit-with-stdin",
		"--port", strconv.Itoa(o.Port),
		"--ui-port", strconv.Itoa(o.UIPort),
		"--namespace", o.Namespace,
		"--log-level", o.LogLevel,
	}
	if o.DB != "" {
		args = append(args, "--db", o.DB)
	}
	if o.UICodecEndpoint != "" {
		args = append(args, "--ui-codec-endpoint", o.UICodecEndpoint)
	}
	for name, valueType := range o.SearchAttributes {
		args = append(args, "--search-attribute", name+"="+valueType)
	}
	return args
}
