// Package intake brings the commands of one interaction into order. Each command is
// applied once, however often it is repeated. Commands that their source numbers
// (source_sequence) are applied in the order of the numbers, in whatever order they
// arrive.
//
// The package is pure, as the package interaction is. It reports since when commands
// wait for a missing number; the caller keeps the time. It must never know Temporal, how
// a command arrived, or how its result gets back to the sender.
package intake
