package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// ports are the ports of the services and the UI.
type ports struct {
	frontend, history, matching, worker int
	ui                                  int
}

// choosePorts returns the requested ports, and free ones for the rest. It returns an error for a port that is in use.
func choosePorts(o options) (ports, error) {
	var p ports
	var err error
	choose := func(flag string, requested int) int {
		port := 0
		if err == nil {
			port, err = choosePort(o.ip, flag, requested)
		}
		return port
	}
	p.frontend = choose("--port", o.port)
	if o.uiPort != noUI {
		p.ui = choose("--ui-port", o.uiPort)
	}
	p.history, p.matching, p.worker = choose("", 0), choose("", 0), choose("", 0)
	return p, err
}

func choosePort(ip, flag string, requested int) (int, error) {
	if requested == 0 {
		return freePort(ip)
	}
	listener, err := net.Listen("tcp", hostPort(ip, requested))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return 0, fmt.Errorf("port %d on %s is already in use: use another %s, or 0 for a free port", requested, ip, flag)
	case err != nil:
		return 0, fmt.Errorf("listen on %s %d: %w", flag, requested, err)
	}
	return requested, listener.Close()
}

// freePort returns a free port that the kernel does not assign to other processes for a while. The server needs port
// numbers, not listeners, so the port must be closed before the server starts. The kernel does not assign a port that has
// a connection in TIME_WAIT, but a process can listen on it by number. Therefore freePort connects to the port once.
func freePort(ip string) (int, error) {
	listener, err := net.Listen("tcp", hostPort(ip, 0))
	if err != nil {
		return 0, fmt.Errorf("find a free port on %s: %w", ip, err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("reserve a free port: %w", err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err != nil {
		return 0, fmt.Errorf("reserve a free port: %w", err)
	}
	// The side that closes first stays in TIME_WAIT: it must be the side with our port.
	if err := accepted.Close(); err != nil {
		return 0, fmt.Errorf("reserve a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func hostPort(ip string, port int) string {
	return net.JoinHostPort(ip, strconv.Itoa(port))
}
