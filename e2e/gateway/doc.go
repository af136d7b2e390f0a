// Package gateway tests the HTTP server as it is run: an embedded Temporal with a real worker, the live
// bus, and a gateway with configured credentials on a TCP port. Its tests hold the server to the
// transition table for every role, and try what clients must not be able to do.
//
// It has no code besides tests.
package gateway
