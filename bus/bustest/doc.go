// Package bustest is a bus in memory: a stream of live notices that loses messages, is away or is made again
// when a test says so. Rules about lost and late notices cannot be tested with a network. Only tests import it.
package bustest
