// Package alerts is how a worker process tells of the trouble that it sees: it
// notices what comes of every attempt, call by call, and tells the Receiver
// workflow of a call when its receiver fails, parks deliveries, or is well again.
//
// Telling is bounded (once for each change, and at most every minute for what is
// parked), is tried again until Temporal takes it, and never holds up a delivery.
// The package must never know what is made of a telling, nor the configuration.
package alerts
