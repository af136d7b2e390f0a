// Package his tests sessions of desktops that speak HIS as they are run: an embedded Temporal with a real
// worker, the live bus, and a gateway on a TCP port. Its clients know the protocol alone.
//
// It has no code besides tests.
package his
