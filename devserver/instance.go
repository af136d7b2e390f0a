package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
)

// stopLimit bounds a graceful stop. The state is in the database before it is acknowledged, so an earlier end loses
// nothing; it only closes connections.
const stopLimit = 2 * time.Second

// instance is a running server with its UI.
type instance struct {
	options   options
	address   string
	uiAddress string

	server   temporal.Server
	ui       *uiserver.Server
	logLevel *slog.LevelVar
	settings *settings
	// addedAttributes reports that search attributes were added to the namespace.
	addedAttributes bool
	release         func()
}

// launch starts the server and the UI, and does not wait until they answer.
func launch(o options) (*instance, error) {
	p, err := choosePorts(o)
	if err != nil {
		return nil, err
	}
	databases, release, err := openDatabase(o)
	if err != nil {
		return nil, err
	}
	i := &instance{options: o, address: hostPort(o.ip, p.frontend), logLevel: new(slog.LevelVar), settings: &settings{StaticClient: dynamicConfig()}, release: release}
	i.logLevel.Set(o.logLevel)
	if err := i.startServer(p, databases); err != nil {
		release()
		return nil, err
	}
	if o.uiPort != noUI {
		i.startUI(p.ui)
	}
	return i, nil
}

func (i *instance) startServer(p ports, s stores) error {
	conf := serverConfig(i.options.ip, p, s)
	server, err := temporal.NewServer(
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(i.options.ip, p)),
		temporal.WithLogger(newServerLog(os.Stderr, i.logLevel)),
		temporal.WithDynamicConfigClient(i.settings),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
	if err != nil {
		return fmt.Errorf("configure the Temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	i.server = server
	return nil
}

func (i *instance) startUI(port int) {
	i.uiAddress = "http://" + hostPort(i.options.ip, port)
	sameHost := server_options.WithAPIMiddleware([]api.Middleware{onlyHost(i.options.ip)})
	i.ui = uiserver.NewServer(sameHost, server_options.WithConfigProvider(&uiconfig.Config{
		Host:                bracketed(i.options.ip),
		Port:                port,
		TemporalGRPCAddress: i.address,
		DefaultNamespace:    i.options.namespace,
		EnableUI:            true,
		Codec:               uiconfig.Codec{Endpoint: i.options.uiCodecEndpoint},
		CORS:                uiconfig.CORS{CookieInsecure: true},
		DisableNewsFetch:    true,
		HideLogs:            true,
	}))
	// Start returns when the UI is stopped. If it cannot listen, it logs an error and ends the process.
	go func() { _ = i.ui.Start() }()
}

// announce prints the ready line.
func (i *instance) announce(stdout io.Writer) error {
	return json.NewEncoder(stdout).Encode(struct {
		Address   string `json:"temporal_address"`
		UI        string `json:"temporal_ui"`
		Namespace string `json:"namespace"`
	}{i.address, i.uiAddress, i.options.namespace})
}

// stop stops the server gracefully within stopLimit; the end of the process does the rest. A temporary database has no state
// to keep, so stop stops the UI only.
func (i *instance) stop() {
	// From now on, services log lost connections to each other.
	i.logLevel.Set(slog.Level(math.MaxInt))
	if i.ui != nil {
		i.ui.Stop()
	}
	if i.options.db == "" {
		return
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = i.server.Stop()
		i.release()
	}()
	select {
	case <-stopped:
	case <-time.After(stopLimit):
	}
}

// bracketed returns the address as the UI's configuration requires it: an IPv6 address in brackets.
func bracketed(ip string) string {
	host := hostPort(ip, 0)
	return host[:len(host)-len(":0")]
}
