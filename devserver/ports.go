package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// ports are all a server listens on.
type ports struct {
	frontend, history, matching, worker int
	ui                                  int
}

// choosePorts takes the ports that were asked for and finds free ones for the rest.
func choosePorts(o options) (ports, error) {
	var p ports
	var err error
	choose := func(flag string, asked int) int {
		port := 0
		if err == nil {
			port, err = choosePort(o.ip, flag, asked)
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

func choosePort(ip, flag string, asked int) (int, error) {
	if asked == 0 {
		return freePort(ip)
	}
	listener, err := net.Listen("tcp", hostPort(ip, asked))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return 0, fmt.Errorf("port %d on %s is already in use; give another with %s, or 0 for a free one", asked, ip, flag)
	case err != nil:
		return 0, fmt.Errorf("listen for %s %d: %w", flag, asked, err)
	}
	return asked, listener.Close()
}

// freePort finds a port that nobody uses and that the kernel gives to nobody else for a while: the server takes port
// numbers, not listeners, so the port must be let go again before it starts. A port with a connection in TIME_WAIT is
// left out when the kernel picks ports for others, yet can be listened on by its number; hence the connection to itself.
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
	// The side that closes first is the one that stays in TIME_WAIT: it must be the one with our port.
	if err := accepted.Close(); err != nil {
		return 0, fmt.Errorf("reserve a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func hostPort(ip string, port int) string {
	return net.JoinHostPort(ip, strconv.Itoa(port))
}
