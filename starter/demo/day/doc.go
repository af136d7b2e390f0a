// Package day generates a day of a contact center: the commands of interactions on every channel, as their platforms
// would report them, with bad lines among them as a faulty platform sends them.
//
// Every line is checked against the state machine while it is generated: a good line must be legal, a bad line must be
// rejected. The same seed gives the same bytes. The package may import the domain; it must never know Temporal or a
// receiver.
package day
