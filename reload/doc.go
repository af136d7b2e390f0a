// Package reload keeps the configuration of a running process current: it loads the file again when
// it has changed or a signal asks for it, has the process apply the new set, and reports what is
// active and what was rejected. Workers and gateways share it.
//
// It must never know what a process does with its configuration.
package reload
