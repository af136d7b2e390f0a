// Package e2e holds the tests that run Segue as its users do: with the embedded Temporal, worker and command-line
// processes, and HTTP receivers.
//
// It has no code besides tests. Package stack is what tests inside one process run on, and package cut a proxy that breaks
// their connections; packages changed and replayed and command build are for tests, too.
package e2e
