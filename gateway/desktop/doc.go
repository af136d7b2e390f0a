// Package desktop serves sessions of agents' desktops over WebSocket, in the protocol of the Harmony
// Integration Server (HIS): /his. It turns requests into commands, and what changes into events.
//
// One reader of the index follows the changes of all interactions and gives each session its events in
// order. What an agent sees, and the order of events, is package view's. An agent has one session, which is
// in one replica: replicas ask one another for it over the bus.
//
// The package must never judge whether a command is legal: the interaction does.
package desktop
