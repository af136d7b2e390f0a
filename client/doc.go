// Package client talks to Segue's workflows on Temporal: it starts interactions, sends
// commands as signals and updates, asks queries, and reaches lanes and receivers.
//
// It must never know how a command is judged: what a workflow answers is passed on, as an
// error whose kind a caller can act upon.
package client
