// Package presence keeps which agents are logged in and ready, for all replicas of the gateway. It is
// soft state on the bus, and withholds no offer. What the bus loses in a restart, the replicas that live write
// again; it is lost with the bus and all replicas.
//
// The package must never know which face an agent uses, nor how agents are shown.
package presence
