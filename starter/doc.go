// Command segue is the command line of Segue: it runs Segue on this machine, and starts, commands and inspects the
// interactions of any Temporal namespace.
//
// Each file is named after its command; commands of several files share a prefix. The commands are thin: packages client,
// client/feed and client/lanes talk to interactions and lanes, package worker/host runs a worker. The packages below this
// one belong to single commands: audit to `segue audit` and `segue deploy`, demo to `segue demo`, draw to `segue show`.
// No package outside this directory imports anything below it.
//
// The command line must never know how Segue judges a command or a response: it reads, sends and prints.
package main
