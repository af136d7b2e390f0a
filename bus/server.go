package bus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ServerOptions configure an embedded server.
type ServerOptions struct {
	// Listen is the host:port to listen on; empty to serve this process alone. Port 0 chooses one.
	Listen string
	// User and Password are those of workers, which may publish and read acks alone. They are required
	// beyond loopback, as is TLS; without them, anybody on the machine is a worker.
	User, Password string
	// GatewayUser and GatewayPassword are those of gateways in other processes, which may do
	// everything; empty if there are none.
	GatewayUser, GatewayPassword string
	// TLS has the certificate of the server and, to require certificates of workers, ClientCAs and
	// ClientAuth.
	TLS *tls.Config
	// MaxBytes bounds the stream; 0 is DefaultMaxBytes. Give the same to Connect.
	MaxBytes int64
	Log      *slog.Logger
}

const (
	// serverSlack is the memory of the server's JetStream beside the streams.
	serverSlack = 32 << 20
	// serverStore bounds what the server writes to its temporary directory: descriptions of streams.
	serverStore = 16 << 20
	// serverPayload takes a notice with a state of NoticeStateLimit, also encrypted and in base64.
	serverPayload = 2 << 20
	startTimeout  = 10 * time.Second
)

// Server is an embedded NATS server with JetStream in memory.
type Server struct {
	nats           *server.Server
	directory      string
	listens        bool
	user, password string
	maxBytes       int64
	close          sync.Once
}

// Embed starts an embedded server. It refuses to listen beyond loopback without credentials and TLS.
func Embed(o ServerOptions) (*Server, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	options, err := serverOptions(o)
	if err != nil {
		return nil, err
	}
	s := &Server{listens: o.Listen != "", user: "segue-gateway-" + rand.Text(), password: rand.Text(), maxBytes: o.MaxBytes}
	options.Users, options.NoAuthUser = users(o, s.user, s.password)
	if s.directory, err = os.MkdirTemp("", "segue-bus-"); err != nil {
		return nil, fmt.Errorf("start the embedded bus: %w", err)
	}
	options.StoreDir = s.directory
	if err := s.start(options, log); err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded bus: %w", err), os.RemoveAll(s.directory))
	}
	if err := s.createStreams(); err != nil {
		s.Close()
		return nil, fmt.Errorf("start the embedded bus: %w", err)
	}
	return s, nil
}

// createStreams creates the streams in memory, before anybody can publish.
func (s *Server) createStreams() error {
	nc, err := nats.Connect("", nats.InProcessServer(s.nats), nats.UserInfo(s.user, s.password))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for _, config := range []jetstream.StreamConfig{streamConfig(jetstream.MemoryStorage, s.maxBytes), agentsConfig(jetstream.MemoryStorage)} {
		if _, err := js.CreateStream(ctx, config); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) start(options *server.Options, log *slog.Logger) error {
	var err error
	if s.nats, err = server.NewServer(options); err != nil {
		return err
	}
	lines := &serverLog{log: log}
	s.nats.SetLoggerV2(lines, false, false, false)
	go s.nats.Start()
	deadline := time.Now().Add(startTimeout)
	for !s.nats.ReadyForConnections(50 * time.Millisecond) {
		if cause := lines.fatal(); cause != "" || time.Now().After(deadline) {
			s.nats.Shutdown()
			s.nats.WaitForShutdown()
			if cause == "" {
				cause = "it is not ready after " + startTimeout.String()
			}
			return errors.New(cause)
		}
	}
	return nil
}

func serverOptions(o ServerOptions) (*server.Options, error) {
	options := &server.Options{
		ServerName: "segue", DontListen: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, JetStreamMaxMemory: o.MaxBytes + agentsMaxBytes + serverSlack, JetStreamMaxStore: serverStore,
		MaxPayload: serverPayload, NoSystemAccount: true,
	}
	if o.Listen == "" {
		return options, nil
	}
	host, portText, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("bus.listen: %q: %w; give host:port, such as 127.0.0.1:4222", o.Listen, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("bus.listen: %q: the port is not a number up to 65535", o.Listen)
	}
	if err := safe(o, host); err != nil {
		return nil, err
	}
	options.DontListen, options.Host, options.Port, options.TLSConfig = false, host, int(port), o.TLS
	if port == 0 {
		options.Port = server.RANDOM_PORT
	}
	if o.TLS != nil {
		options.TLS, options.TLSVerify = true, o.TLS.ClientAuth == tls.RequireAndVerifyClientCert
		options.TLSTimeout = 5
	}
	return options, nil
}

// safe refuses to serve other machines without credentials and TLS.
func safe(o ServerOptions, host string) error {
	if (o.User == "") != (o.Password == "") {
		return errors.New("bus.listen: a user without a password, or the reverse; give both or none")
	}
	if isLoopback(host) || (o.User != "" && o.TLS != nil) {
		return nil
	}
	return fmt.Errorf("bus.listen: %q is reachable from other machines, which needs a user, a password and TLS; "+
		"set them, listen on 127.0.0.1:4222, or set bus.url to an external NATS", o.Listen)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// users returns the accounts of a server: the gateways, and the workers with what a worker needs.
func users(o ServerOptions, user, password string) (all []*server.User, withoutCredentials string) {
	worker := &server.User{Username: o.User, Password: o.Password, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{livePrefix + ">", duePrefix + ">", receiversSubject}},
		Subscribe: &server.SubjectPermission{Allow: []string{ackPrefix + ".>"}},
	}}
	if o.User == "" {
		worker.Username, worker.Password = "segue-worker", rand.Text()
		withoutCredentials = worker.Username
	}
	all = []*server.User{{Username: user, Password: password}, worker}
	if o.GatewayUser != "" {
		all = append(all, &server.User{Username: o.GatewayUser, Password: o.GatewayPassword})
	}
	return all, withoutCredentials
}

// URL is where other processes reach the server; empty if it serves this one alone.
func (s *Server) URL() string {
	if !s.listens {
		return ""
	}
	return s.nats.ClientURL()
}

// Close stops the server and removes its temporary directory.
func (s *Server) Close() {
	s.close.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		// The directory is temporary; what cannot be removed is the system's to clean.
		_ = os.RemoveAll(s.directory)
	})
}
