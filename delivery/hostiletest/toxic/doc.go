// Package toxic holds the tests that send through a network that fails: a proxy
// between Segue and a receiver that is in order delays, throttles, slices and cuts
// what goes through it.
//
// It is a module of its own, so that what the proxy is made of stays out of the
// product's, and has no code besides tests.
package toxic
