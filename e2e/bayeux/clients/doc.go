// Package clients runs the Bayeux clients that people use, under Node.js, for tests: the official one of CometD, and faye.
//
// It knows Bayeux alone, and must never know what the messages are about.
package clients
