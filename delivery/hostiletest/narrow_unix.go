//go:build unix

package hostiletest

import (
	"net"
	"syscall"
)

// narrow makes the accept queue of a listener as short as possible, so that a few connections
// fill it. Where that fails, connections are accepted and get no response: nearly the same.
func narrow(l *net.TCPListener) {
	if raw, err := l.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), 0) })
	}
}
