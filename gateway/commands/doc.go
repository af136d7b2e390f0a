// Package commands sends the commands of all faces to interactions, as updates. One update is in
// flight for each interaction and replica: a command for an idle interaction goes at once, and those
// that arrive meanwhile go together as the next update, each answered by itself.
//
// It must never know HTTP, a face, or who may give a command.
package commands
