//go:build !unix

package hostiletest

import "net"

// narrow does nothing here: connections are accepted and get no response.
func narrow(*net.TCPListener) {}
