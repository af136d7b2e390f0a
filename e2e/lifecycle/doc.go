// Package lifecycle holds tests that play whole interactions of every channel on the real workflow and the real
// activities, in virtual time, and compare the requests that an HTTP receiver gets with tables in testdata: each
// segment and each moment that must fire, in order, and nothing else. The tables are written by hand.
//
// It has no code besides tests, and nothing may import it.
package lifecycle
