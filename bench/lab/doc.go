// Package lab is what every measurement runs on: an embedded Temporal, a client,
// and Segue's worker with a configuration, all in this process but the server.
//
// It must never know what is measured.
package lab
