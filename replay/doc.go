// Package replay holds recorded workflow histories ("golden" ones) and replays
// them against the workflow code of today: a change that would break a running
// interaction fails here before it is deployed.
//
// The histories in testdata are real ones, recorded by `go run ./replay/record`
// on an embedded Temporal. It must never know how a history came about.
package replay
