package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/gateway/board"
	"segue/gateway/engagement"
	"segue/gateway/gws"
	"segue/gateway/index"
	"segue/gateway/problem"
	"segue/metrics"
	"segue/metrics/export"
	"segue/reload"
)

// Options configure a gateway.
type Options struct {
	// Config is the configuration, which the gateway follows.
	Config *config.Store
	// Client reaches Temporal, in Namespace.
	Client    *client.Client
	Namespace string
	// Bus carries notices from workers; see OpenBus.
	Bus *bus.Conn
	// Listener is where the gateway listens; see Listen. Run closes it.
	Listener net.Listener
	Log      *slog.Logger
	// Level is set to log.level when the configuration is reloaded; nil for a log with a fixed level.
	Level *slog.LevelVar
	// Version is that of the program, for operators.
	Version string
	// Reloads makes the gateway reload the configuration's file when it changes, and when a signal
	// arrives on Reload. Without it another part of the process does, and the gateway applies what
	// that part loads.
	Reloads bool
	Reload  <-chan os.Signal
	// Allow lists what calls may reach besides what the configuration allows.
	Allow []string
	// Metrics records what the gateway does; nil for nothing. If Observed is set too, the gateway
	// serves metrics and its health there, for operators. Run closes it.
	Metrics  *export.Exporter
	Observed net.Listener
}

func (o Options) instruments() *metrics.Instruments {
	if o.Metrics == nil {
		return nil
	}
	return o.Metrics.Instruments
}

// Gateway is the HTTP server with all faces.
type Gateway struct {
	options     Options
	index       *index.Index
	board       *board.Board
	faces       *faces
	health      *health
	reloads     *reload.Reloader
	certificate *certificate // nil without TLS
	connections *bounded
}

// New returns a gateway. It reports an error if a secret or a certificate cannot be read.
func New(options Options) (*Gateway, error) {
	set := options.Config.Current()
	g := &Gateway{options: options, index: index.New(index.Options{
		Client: options.Client, Bus: options.Bus, Log: options.Log, ObserveAge: options.instruments().GatewayNotice,
	})}
	g.board = board.New(board.Options{Config: options.Config, Client: options.Client, Index: g.index, Bus: options.Bus, Log: options.Log})
	if set.Gateway.TLS.Certificate != "" {
		var err error
		if g.certificate, err = loadCertificate(set.Gateway.TLS); err != nil {
			return nil, err
		}
	}
	var err error
	if g.faces, err = newFaces(options, g.index, g.board); err != nil {
		return nil, err
	}
	g.reloads = newReloader(options, g.faces.update)
	g.health = &health{
		missing: func(ctx context.Context) ([]string, error) {
			return connect.Missing(ctx, options.Client.Temporal, options.Namespace)
		},
		index:      g.index.Health,
		connected:  options.Bus.Connected,
		issuers:    g.faces.degraded,
		configured: func() bool { return options.Config.Current().Gateway.Auth.Configured() },
		reloads:    g.reloads, version: options.Version,
		temporal: TemporalHealth{Namespace: options.Namespace},
	}
	g.connections = newBounded(options.Listener, usual.connections, options.Log, options.instruments().GatewayConnectionRefused)
	return g, nil
}

// newReloader returns the reloader of a gateway. Next to a worker the worker reloads, and the gateway
// applies what it finds.
func newReloader(o Options, update func(next *config.Set) error) *reload.Reloader {
	return reload.New(reload.Options{
		Store: o.Config, Prepare: func(_, next *config.Set) error { return update(next) },
		Missing: (*config.Set).MissingGatewaySecrets, Warning: "a secret of the gateway is missing",
		Metrics: o.instruments(), Level: o.Level, Log: o.Log,
	})
}

// Health returns the state of the gateway.
func (g *Gateway) Health() Health { return g.health.status() }

// Run serves until the context ends. Then /readyz answers 503, streams end, and requests in flight
// finish within a bound. Run fails if requests can no longer be served.
func (g *Gateway) Run(ctx context.Context) error {
	defer g.faces.close()
	stopObserving, err := g.observe()
	if err != nil {
		return errors.Join(err, g.connections.Close())
	}
	// Health, metrics, the index and what requests need last until the last request has ended.
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	failed := make(chan error, 8) // room for each that may fail
	running.Go(func() {
		if err := g.index.Run(background); background.Err() == nil {
			failed <- fmt.Errorf("gateway: the index of open interactions has ended: %w", err)
		}
	})
	running.Go(func() {
		if err := g.board.Run(background); background.Err() == nil {
			failed <- fmt.Errorf("gateway: the board has ended: %w", err)
		}
	})
	g.faces.run(background, &running, func(err error) { failed <- err })
	g.start(background, &running)

	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	running.Go(func() {
		select {
		case err := <-failed:
			stop(err)
		case <-background.Done():
		}
	})
	context.AfterFunc(serving, g.health.stop)
	err = serve(serving, newServer(g.handler(), usual, g.options.Log), g.connections, g.secure(), usual.stop)
	if cause := context.Cause(serving); ctx.Err() == nil && cause != nil {
		err = errors.Join(cause, err)
	}
	return errors.Join(err, stopObserving())
}

// start starts what runs next to the server.
func (g *Gateway) start(ctx context.Context, running *sync.WaitGroup) {
	running.Go(func() { g.health.run(ctx) })
	if g.options.Reloads {
		running.Go(func() { g.reloads.Run(ctx, g.options.Reload) })
	} else {
		running.Go(func() { g.reloads.Follow(ctx) })
	}
	if g.certificate != nil {
		running.Go(func() { g.certificate.follow(ctx, certificateEvery, g.options.Log) })
	}
	if g.options.Observed != nil && g.options.Metrics != nil {
		running.Go(func() { serveOperators(ctx, g.options.Observed, g.options.Metrics.Handler(), g.Health, g.options.Log) })
	}
}

// handler returns the handlers of all requests, the outermost first: each request has an id, a line
// in the log and an answer.
func (g *Gateway) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", reading(live))
	mux.HandleFunc("/readyz", reading(ready(g.Health, false)))
	mux.Handle("/", g.faces)
	return around(mux, usual, g.options.Log, g.options.instruments())
}

// around returns a handler with what surrounds every request.
func around(mux http.Handler, b bounds, log *slog.Logger, instruments *metrics.Instruments) http.Handler {
	return identify(observe(log, instruments, survive(log, patient(b.body, noteRoute(asSent(mux))))))
}

// asSent answers requests whose path is not in its one form: another mux would redirect them, before
// their credential is looked at, and clients of an API do not follow. A slash at the end is for the
// faces to judge.
func asSent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOneForm(r.URL.EscapedPath()) {
			notFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOneForm reports whether a path is the only one that means what it means: no //, no dots.
func isOneForm(sent string) bool {
	clean := path.Clean(sent)
	return strings.HasPrefix(sent, "/") && (sent == clean || sent == clean+"/" && clean != "/")
}

// notFound answers requests to paths that no face has.
func notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, problem.New(problem.NotFound, "no such path"))
}

// refuse answers in the form of the face whose path a request has.
func refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	if strings.HasPrefix(r.URL.Path, gws.Prefix+"/") {
		gws.Refuse(w, r, p)
		return
	}
	if isOfEngagement(r.URL.Path) {
		engagement.Refuse(w, r, p)
		return
	}
	problem.Write(w, p)
}
