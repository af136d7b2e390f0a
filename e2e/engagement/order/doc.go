// Package order tests in which order the callbacks of an invitation arrive at its backend, and what a backend that is
// Segue itself does with them, as they are run: an embedded Temporal with two workers and two gateways. The backend
// is slow, or fails, as the tests need it.
//
// It has no code besides tests.
package order
