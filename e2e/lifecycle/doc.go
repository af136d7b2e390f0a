// Package lifecycle holds tests that play whole interactions of every channel on
// the real workflow and the real activities, in virtual time, and hold what an
// HTTP receiver gets against tables in testdata: each segment and each moment that
// must fire, in order, and nothing else. The tables are written by hand.
//
// It has no code of its own besides tests, and nothing may import it.
package lifecycle
