// Package index is a gateway replica's view of all open interactions. It applies the notices of the
// bus in the order of their revisions, repairs by queries what a lost notice left out, and answers
// lists. It also keeps the last notices, from which streams to clients read on at their own
// positions.
//
// An interaction has two cursors here. Its state, for lists, is the latest that any notice or query
// had. Its history, for streams, goes from revision to revision, so that a stream shows each once
// and in order. A notice that arrives too early changes the state at once and waits for its place
// in the history.
//
// The package must never know HTTP, nor which face shows what it has.
package index
