package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopLimit is how long a server may take to stop; it usually takes less than two seconds.
const stopLimit = 5 * time.Second

// Server is a running Temporal server.
type Server struct {
	// Address is the host and port of the Temporal API.
	Address string
	// UI is the URL of the Temporal UI; empty without one.
	UI string
	// Namespace exists and can be used.
	Namespace string

	command *exec.Cmd
	stdin   io.Closer
	stderr  *tail

	stopOnce sync.Once
	stopping chan struct{}
	done     chan struct{}
	exit     error // how the child ended; to be read after done
	killed   bool  // to be read after Stop
}

// launch starts the binary and waits for its ready line.
func launch(ctx context.Context, binary string, opts Options) (*Server, error) {
	ready := newFirstLine()
	s := &Server{
		command:  exec.Command(binary, opts.arguments()...),
		stderr:   &tail{to: opts.Log},
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	s.command.Stdout = ready
	s.command.Stderr = s.stderr
	// A Ctrl-C in a terminal signals the whole process group. In a group of its own, the server stays up while its parent
	// stops the server's clients in order; then the parent stops the server.
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the embedded Temporal: %w", err)
	}
	s.stdin = stdin
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Temporal %s: %w", binary, err)
	}
	go s.wait()

	select {
	case line := <-ready.line:
		if err := s.read(line); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		return s, nil
	case <-s.done:
		return nil, s.diedOf("the embedded Temporal did not start")
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("start the embedded Temporal: %w", context.Cause(ctx)), s.Stop())
	}
}

func (s *Server) read(line []byte) error {
	var ready struct {
		Address   string `json:"temporal_address"`
		UI        string `json:"temporal_ui"`
		Namespace string `json:"namespace"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		return fmt.Errorf("read the ready line of the embedded Temporal %q: %w", line, err)
	}
	s.Address, s.UI, s.Namespace = ready.Address, ready.UI, ready.Namespace
	return nil
}

func (s *Server) wait() {
	s.exit = s.command.Wait()
	close(s.done)
}

// PID is the process id of the server.
func (s *Server) PID() int { return s.command.Process.Pid }

// Done is closed when the server has ended, stopped or not.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why the server ended by itself; it is nil while the server runs and after it was stopped.
func (s *Server) Err() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	select {
	case <-s.stopping:
		return nil
	default:
		return s.diedOf("the embedded Temporal ended by itself")
	}
}

// Stop ends the server: with SIGTERM, then, if that takes too long, with SIGKILL. Repeated calls wait for the first.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		select {
		case <-s.done: // it ended by itself, and Err keeps returning that
			return
		default:
			close(s.stopping)
		}
		// Each of the two is enough; if one fails, the other works.
		_ = s.command.Process.Signal(syscall.SIGTERM)
		_ = s.stdin.Close()
		limit := time.NewTimer(stopLimit)
		defer limit.Stop()
		select {
		case <-s.done:
		case <-limit.C:
			s.killed = true
			_ = s.command.Process.Kill()
			<-s.done
		}
	})
	if s.killed {
		return fmt.Errorf("the embedded Temporal did not end within %s and was killed", stopLimit)
	}
	return nil
}

// diedOf returns an error with how the process ended and the end of its log.
func (s *Server) diedOf(message string) error {
	how := "it exited without an error"
	if s.exit != nil {
		how = s.exit.Error()
	}
	if output := s.stderr.String(); output != "" {
		how += ": " + output
	}
	return errors.New(message + ": " + how)
}
