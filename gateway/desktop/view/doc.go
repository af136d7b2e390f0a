// Package view is how one agent's desktop sees its work in HIS terms: channel groups, channels,
// interactions and their conversations, and the events that a change causes, in the documented order.
// Everything in it is pure.
//
// A Desktop has the objects as the client knows them. Each change is the difference between them and the
// state after it, so that a lost notice merges two changes and loses nothing.
//
// The package must never know HTTP, WebSocket, sessions, or where a state came from.
package view
