// Package indextest is a Temporal in memory for tests of what follows an index: its interactions have the rules of the
// domain, and each change returns its notice, which a test publishes or loses. Only tests import it.
package indextest
