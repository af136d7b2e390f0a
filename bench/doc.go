// Package bench holds Segue's measurements. Each is a command that runs Segue and
// a baseline side by side on one embedded Temporal and prints the ratio: absolute
// times depend on the machine, the ratio does not.
//
// Nothing in the product may import it.
package bench
