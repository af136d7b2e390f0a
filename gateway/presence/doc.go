// Package presence keeps which agents are logged in and ready, for all replicas of the gateway. It is
// soft state on the bus: it is lost with the bus, and withholds no offer.
//
// The package must never know which face an agent uses, nor how agents are shown.
package presence
