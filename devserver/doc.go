// Command devserver is Segue's embedded Temporal: the official server and its UI in one process, on SQLite or PostgreSQL,
// for development, tests and installations on one machine.
//
// It is a module of its own, which keeps the server's dependencies out of the product. It may import the Temporal server,
// its UI and their API types; it must never know Segue: neither its packages nor its workflows nor its search attributes,
// which come from a flag. Package segue/embedded finds, builds and runs it.
//
// The endpoints have no authentication. All ports therefore listen on loopback only.
//
// When everything answers, it prints one line of JSON to standard output, and nothing else. Logs go to standard error. It
// ends on SIGINT and SIGTERM, and with --exit-with-stdin when standard input ends, which happens when the process that
// started it ends in any way.
package main
