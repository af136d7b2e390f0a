// Package boards tests the figures of queues, agents and receivers with a real Temporal, two workers and
// two gateway replicas on one bus, and with receivers that are slow, fail, or are not there.
//
// It has no code besides tests.
package boards
