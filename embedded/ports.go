package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const loopback = "127.0.0.1"

// PortInUseError is the error of a port on which another process already listens.
type PortInUseError struct {
	// Port is the port in use.
	Port int
	// Flag is the flag of another port.
	Flag string
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d on %s is already in use: choose another with %s, or a free one with %s 0", e.Port, loopback, e.Flag, e.Flag)
}

// portsAreFree reports an error if a port is in use, before minutes are spent on a build and with the caller's names of the
// ports.
func (o Options) portsAreFree() error {
	if o.Port != 0 && o.Port == o.UIPort {
		return fmt.Errorf("%s and %s are both %d: choose different ports", o.PortFlag, o.UIPortFlag, o.Port)
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
