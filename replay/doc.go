// Package replay replays recorded workflow histories against the current workflow code. A
// change that would break a running interaction fails on the recorded ("golden") histories
// before it is deployed.
//
// The histories in testdata are real ones: `go run ./replay/record` records them on an
// embedded Temporal. Package replay must never know how a history was made.
package replay
