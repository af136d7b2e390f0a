package connect

import (
	"cmp"
	"net"
	"strings"
)

// The defaults of Settings.
const (
	DefaultAddress   = "127.0.0.1:7233"
	DefaultNamespace = "default"
	DefaultTaskQueue = "segue"
)

// Settings are the Temporal that a process uses, and how the process connects to it.
type Settings struct {
	// Address is the host and port of the Temporal frontend.
	Address string
	// Namespace holds Segue's workflows.
	Namespace string
	// TaskQueue is the task queue that Segue's workers poll. Dial does not need it.
	TaskQueue string
	// APIKey is a reference to the key, env:NAME or file:PATH, never the key itself. It is resolved for each request, so
	// that a key can be rotated while the process runs.
	APIKey string
	// TLS is for a frontend that requires it; an API key for an address beyond this machine turns it on as well.
	TLS TLS
}

// TLS is how a connection is secured. Setting any field turns TLS on.
type TLS struct {
	// Enabled turns TLS on with the system's certificate authorities.
	Enabled bool
	// CA refers to the certificate authorities, PEM, env:NAME or file:PATH, to trust instead of the system's.
	CA string
	// Cert and Key refer to the client's certificate, PEM, env:NAME or file:PATH, for mutual TLS; a renewed pair of files
	// is used without a restart.
	Cert, Key string
	// ServerName is the name that the server's certificate must have, if it differs from the address.
	ServerName string
}

// WithDefaults returns the settings with defaults for empty fields.
func (s Settings) WithDefaults() Settings {
	s.Address = cmp.Or(s.Address, DefaultAddress)
	s.Namespace = cmp.Or(s.Namespace, DefaultNamespace)
	s.TaskQueue = cmp.Or(s.TaskQueue, DefaultTaskQueue)
	return s
}

// wantsTLS reports whether to use TLS. An API key turns it on, so that a forgotten setting does not send the key over a
// network in plain text.
func (s Settings) wantsTLS() bool {
	return s.TLS != (TLS{}) || s.APIKey != "" && !isLoopback(s.Address)
}

// isLoopback reports whether an address, with or without a gRPC scheme, is on this machine.
func isLoopback(address string) bool {
	if i := strings.LastIndex(address, "/"); i >= 0 {
		address = address[i+1:]
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
