// Package e2e holds the tests that run Segue as its users do: the embedded
// Temporal, the real worker and command-line processes, real HTTP receivers.
//
// It has no code of its own besides tests; package changed and command build are for
// them.
package e2e
