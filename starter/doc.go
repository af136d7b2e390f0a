// Command segue is the command line of Segue: it runs Segue on this machine, and
// talks to the interactions of any Temporal namespace.
//
// A file here is named after its command. What more than one command needs lives
// in the packages below: drive (talk to interactions), feed (send files), draw
// (pictures). The command line must never know how a command is judged.
package main
