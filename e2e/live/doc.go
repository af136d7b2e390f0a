// Package live tests the gateway's index of open interactions with a real Temporal and a real bus:
// lists of agents on two replicas, lost notices, a bus that goes away.
//
// It has no code besides tests.
package live
