// Package postgres starts a PostgreSQL of its own for tests and benchmarks, from the programs that are installed on this
// machine, and removes it at the end.
//
// A Server has a new, empty data directory, a free port on loopback, and a user and password of its own; a PostgreSQL
// that runs on the machine is not touched. PostgreSQL refuses to run as root: a process of root runs it as the user
// postgres, or nobody where that does not exist. The server ends, and its directory is removed, when its parent stops it
// or dies, however it dies.
//
// It may import the standard library and nothing else.
package postgres
