// Package delivery sends a rendered request to its receiver and returns the outcome. It
// contains authentication, the dial guard, limits, the circuit breaker, the deadline of an
// attempt, and the closed set of outcome classes.
//
// It must never know Temporal, an interaction's state, or how a request was rendered. It
// does not decide whether a delivery is discarded: an outcome only has its verdict and the
// time of the next attempt.
package delivery
