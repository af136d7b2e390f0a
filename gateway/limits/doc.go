// Package limits bounds what a client may take: requests a second and at once for each credential,
// failed guesses for each remote address, and open streams.
//
// It must never know what a request asks for, nor how it authenticates.
package limits
