// Package config reads the configuration. It defines the file's keys and their JSON
// Schema, reads a file strictly and reports every mistake with its line, merges process
// settings from file, environment and flags, and compiles all of it into an immutable Set.
//
// It must never know Temporal, a socket, or the value of a secret: secrets stay references
// until delivery resolves them.
package config
