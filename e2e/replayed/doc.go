// Package replayed replays the histories that tests have made on a Temporal server, all of them, whatever the test is
// about.
package replayed
