// Package postgres starts a PostgreSQL of its own for tests and benchmarks, from the programs that are installed on this
// machine, and removes it at the end.
//
// A Server has a new, empty data directory, a free port on loopback, and a user and password of its own; it does not touch
// a PostgreSQL that runs on the machine. PostgreSQL refuses to run as root: a process of root runs it as the user postgres,
// or as nobody if that does not exist. When its parent stops it or dies, in whatever way, the server ends and its directory
// is removed.
//
// It may import the standard library and nothing else.
package postgres
