// Package export turns what instruments record into what Prometheus reads, together with
// the metrics of the Temporal SDK and of the Go process.
//
// It must never know what is measured, or why.
package export
