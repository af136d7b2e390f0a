// Package sequences tests what interactions do in real time with random sequences of
// commands and queries, on two workers that hardly cache a workflow: almost every task
// and every query rebuilds its state from the history.
//
// It has no code besides tests. To play more sequences, or those of a failed run again:
//
//	go test ./e2e/sequences -run Random -v -sequences 1000 -seed 1
package sequences
