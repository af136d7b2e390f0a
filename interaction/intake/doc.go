// Package intake takes in the commands of one interaction: each once, however
// often it is repeated, and those that their source numbered (source_sequence) in
// the order of their numbers, whatever order they come in.
//
// It is pure, as the package interaction is, and says only what is to be waited
// for and since when; its caller keeps the time. It must never know Temporal, nor
// how a command came or how its result gets back.
package intake
