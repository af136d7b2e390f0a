package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const loopback = "127.0.0.1"

// PortInUseError says that somebody already listens on a port that was asked for.
type PortInUseError struct {
	// Port is the one in use.
	Port int
	// Flag is how another can be given.
	Flag string
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d on %s is already in use: give another with %s, or %s 0 for a free one", e.Port, loopback, e.Flag, e.Flag)
}

// portsAreFree fails early, before minutes are spent on a build, and with the caller's own names for the ports.
func (o Options) portsAreFree() error {
	if o.Port != 0 && o.Port == o.UIPort {
		return fmt.Errorf("%s and %s are both %d", o.PortFlag, o.UIPortFlag, o.Port)
	}
	if err := portIsFree(o.Port, o.PortFlag); err != nil {
		return err
	}
	return portIsFree(o.UIPort, o.UIPortFlag)
}

func portIsFree(port int, flag string) error {
	if port == 0 || port == NoUI {
		return nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return &PortInUseError{Port: port, Flag: flag}
	}
	if err != nil {
		return fmt.Errorf("%s %d: %w", flag, port, err)
	}
	return listener.Close()
}
