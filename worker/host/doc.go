// Package host is the inside of a worker process: it wires the workflows, the
// activities and the sender of requests to one Temporal client, runs them, and
// stops them gracefully. Beside the work it follows the configuration as it
// changes, and tells its metrics and its health to whoever asks.
//
// It must never know the command line, or whether it runs alone or inside
// "segue dev".
package host
