// Package day makes up a day of a contact center: interactions of every channel,
// as their platforms would report them, and among the lines some that a platform
// in trouble sends.
//
// Every line that is meant to be right is held against the state machine while it
// is written, and so is every line that is meant to be wrong. The same seed gives
// the same bytes. The package must never know Temporal or a receiver.
package day
