// Package streams tests the gateway's long answers with a real Temporal, real workers and a real bus:
// live events that are interrupted anywhere and move between replicas, and feeds.
//
// It has no code besides tests.
package streams
