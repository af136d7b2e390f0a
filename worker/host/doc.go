// Package host runs a worker inside a process: it connects the workflows, the activities
// and the sender of requests to one Temporal client, runs them, and stops them gracefully.
// It also reloads the configuration when it changes, and serves metrics and health.
//
// It must never know the command line, or whether it runs alone or inside "segue dev".
package host
