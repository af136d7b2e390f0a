// Package excerpt shortens texts that come from outside, for errors, logs, outcomes and
// summaries: to a number of bytes, without splitting a character, as valid UTF-8.
//
// It imports the standard library alone. Workflows call it, so its results must never
// change for a given input: a changed one breaks the replay of open workflows.
package excerpt
