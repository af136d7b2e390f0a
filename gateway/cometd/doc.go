// Package cometd is a Bayeux 1.0 server, the protocol of CometD: it keeps sessions, and sends them
// messages by long-polling or WebSocket, with the acknowledgment extension. Clients subscribe and
// receive; they publish nothing.
//
// The package must never know what the messages are about, how a credential is checked, or which
// topics there are: its user says so in Options.
package cometd
