//go:build unix

package hostiletest

import (
	"net"
	"syscall"
)

// narrow makes the queue of a listener as short as can be, so that a few fill it.
// Where that fails, connections come about and nobody answers: nearly the same.
func narrow(l *net.TCPListener) {
	if raw, err := l.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), 0) })
	}
}
