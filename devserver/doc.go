// Command devserver is the Temporal that comes with Segue: the official server and its UI in one process, on SQLite or
// PostgreSQL, for development, tests and one-machine installations.
//
// It lives in a module of its own so that the product's dependencies stay free of a server's. It may import the Temporal
// server, its UI and their API types; it must never know anything of Segue: not its packages, not its workflows, not its
// search attributes (whoever starts it names those by flag). Package segue/embedded finds, builds and runs it.
//
// It has no authentication of any kind and therefore listens on loopback alone, on every port it opens.
//
// When everything answers it prints one JSON line on standard output and nothing else there, ever; logs go to standard
// error. It ends on SIGINT and SIGTERM, and with --exit-with-stdin also when standard input ends, which is what happens
// when the process that started it dies, however it dies.
package main
