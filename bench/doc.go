// Package bench holds Segue's benchmarks. Each is a command that runs Segue and a baseline side by side on one embedded
// Temporal and prints the ratio: absolute times depend on the machine, the ratio does not. The package itself has what
// the commands share.
//
// Nothing in the product may import it. It must never know what a command measures.
package bench
