// Package gws tests the GWS face as its clients use it: an embedded Temporal with a real worker, the
// live bus, and a gateway with configured credentials on a TCP port. Its tests hold every operation, in
// every state and for everybody, to the transition table and to the documented tables of GWS.
//
// It has no code besides tests.
package gws
