package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	user     = "segue"
	loopback = "127.0.0.1"
	// startLimit bounds the start, which takes about a second on an idle machine; stopLimit bounds the end.
	startLimit = time.Minute
	stopLimit  = 10 * time.Second
	pollEvery  = 20 * time.Millisecond
	// portAttempts is how often a start is tried if another process takes its port.
	portAttempts = 3
)

// Server is a running PostgreSQL.
type Server struct {
	port     int
	password string
	command  *exec.Cmd
	stdin    io.Closer
	log      *log
	done     chan struct{}
	stop     sync.Once
	killed   bool
}

// Start starts a PostgreSQL and returns when it accepts connections. Settings are written as in postgresql.conf
// ("fsync=on"); without them the server is fast and does not survive a power failure. Start returns ErrNotInstalled if
// PostgreSQL is not installed. The context bounds only the start.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("PostgreSQL was not ready within %s", startLimit))
	defer cancel()
	for attempt := 1; ; attempt++ {
		server, err := programs.start(ctx, settings)
		if err == nil || attempt == portAttempts || !errors.Is(err, errPortTaken) {
			return server, err
		}
	}
}

// errPortTaken is the error of a port that another process took between its choice and the start.
var errPortTaken = errors.New("the port is in use")

func (p programs) start(ctx context.Context, settings []string) (*Server, error) {
	s := &Server{password: rand.Text(), log: &log{}, done: make(chan struct{})}
	directory, err := p.initialize(ctx, s.password)
	if err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err == nil {
		err = s.launch(p, directory, settings)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	if err := s.awaitReady(ctx, filepath.Join(directory, "data", "postmaster.pid")); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// initialize creates a data directory in a new directory.
func (p programs) initialize(ctx context.Context, password string) (directory string, err error) {
	directory, err = os.MkdirTemp("", "segue-postgres-")
	if err != nil {
		return "", fmt.Errorf("PostgreSQL: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(directory))
		}
	}()
	secret := filepath.Join(directory, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("PostgreSQL: %w", err)
	}
	if err := p.own(directory, secret); err != nil {
		return "", fmt.Errorf("PostgreSQL: %w", err)
	}
	command := exec.CommandContext(ctx, p.initdb, "--pgdata="+filepath.Join(directory, "data"), "--username="+user,
		"--pwfile="+secret, "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
	p.prepare(command, directory)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return directory, nil
}

// script runs the server, ends it when standard input ends, and removes its directory.
const script = `
directory=$1; shift
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ cat <&3 >/dev/null; kill -INT $server; } 2>/dev/null & watch=$!
wait $server; status=$?
kill $watch 2>/dev/null
cd /
rm -rf "$directory"
exit $status`

func (s *Server) launch(p programs, directory string, settings []string) error {
	args := []string{"-c", script, "sh", directory, p.postgres, "-D", filepath.Join(directory, "data")}
	for _, setting := range append([]string{
		"listen_addresses=" + loopback, "port=" + strconv.Itoa(s.port), "unix_socket_directories=", "max_connections=200",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off",
	}, settings...) {
		args = append(args, "-c", setting)
	}
	s.command = exec.Command("sh", args...)
	p.prepare(s.command, directory)
	s.command.Stdout, s.command.Stderr = s.log, s.log
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	s.stdin = stdin
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	go func() {
		defer close(s.done)
		_ = s.command.Wait() // the log has the reason if the server ended by itself
	}()
	return nil
}

// awaitReady waits until the server's PID file reports that it accepts connections.
func (s *Server) awaitReady(ctx context.Context, pidFile string) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if content, err := os.ReadFile(pidFile); err == nil && bytes.Contains(content, []byte("\nready")) {
			return nil
		}
		select {
		case <-s.done:
			if strings.Contains(s.log.String(), "Address already in use") {
				return fmt.Errorf("PostgreSQL on port %d: %w", s.port, errPortTaken)
			}
			return fmt.Errorf("PostgreSQL did not start: %s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL: %w: %s", context.Cause(ctx), s.log)
		case <-poll.C:
		}
	}
}

// URL returns the URL of a database on this server, with user and password. The user may create databases.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(user, s.password), Host: s.Address(), Path: "/" + database, RawQuery: "sslmode=disable",
	}).String()
}

// Address returns the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort(loopback, strconv.Itoa(s.port)) }

// Password returns the password of the user in URL, for tests that it does not appear elsewhere.
func (s *Server) Password() string { return s.password }

// Stop ends the server and removes everything it has stored. Repeated calls do nothing.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		_ = s.stdin.Close() // fails only if the script has ended already
		limit := time.NewTimer(stopLimit)
		defer limit.Stop()
		select {
		case <-s.done:
		case <-limit.C:
			s.killed = true
			_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL) // the whole group, which is ours
			<-s.done
		}
	})
	if s.killed {
		return fmt.Errorf("PostgreSQL did not end within %s and was killed: %s", stopLimit, s.log)
	}
	return nil
}

// freePort returns a port on which nothing listens at present. The kernel gives no connection of others the port for a
// minute: a connection to it is in TIME_WAIT, at the side that closed first.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("PostgreSQL: find a free port: %w", err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("PostgreSQL: reserve a free port: %w", err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err == nil {
		err = accepted.Close()
	}
	if err != nil {
		return 0, fmt.Errorf("PostgreSQL: reserve a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, nil
}
