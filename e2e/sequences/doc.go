// Package sequences tests what interactions do in real time with random sequences of
// commands and queries, on two workers that hardly cache a workflow: almost every task
// and every query rebuilds its state from the history.
//
// It has no code of its own besides tests. More sequences, or the ones of a run that
// failed, are played with
//
//	go test ./e2e/sequences -run Random -v -sequences 1000 -seed 1
package sequences
