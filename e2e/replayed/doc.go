// Package replayed replays what tests have made on a Temporal server: every history,
// also of those tests that look at something else.
package replayed
