// Package bus carries live notices from workers to gateways, by NATS with JetStream: an embedded
// server on one machine, an external one or a cluster beyond. Temporal is the record; the bus only
// makes what Temporal has visible at once.
//
// A worker publishes and never waits (Publisher). A gateway reads the stream in order from any
// position that the stream still has (Conn.Consume). docs/bus.md describes the subjects, the stream
// and the permissions that an external server needs.
//
// The package must never know what an interaction is for, nor how a gateway shows a notice.
package bus
