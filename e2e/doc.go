// Package e2e holds the tests that run Segue as its users do: with the embedded Temporal, worker and command-line
// processes, and HTTP receivers.
//
// It has no code besides tests; package changed and command build are for them.
package e2e
