// Package toxic contains tests that send through a network that fails: a proxy between Segue
// and a healthy receiver delays, throttles, slices and cuts the data.
//
// It is a module of its own, so that the proxy's dependencies stay out of the product's, and
// it contains only tests.
package toxic
