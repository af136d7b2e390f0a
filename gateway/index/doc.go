// Package index is a gateway replica's view of all open interactions. It applies the notices of the
// bus in the order of their revisions, repairs what a lost notice left out by queries, and answers
// lists. It also keeps the last notices, from which streams to clients read on at their own
// positions.
//
// It must never know HTTP, nor which face shows what it has.
package index
