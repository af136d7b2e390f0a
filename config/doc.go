// Package config is the configuration: the file's keys and their JSON Schema, its
// strict reading with one located error for each mistake, process settings from file,
// environment and flags, and the compiled, immutable Set that everything else reads.
//
// It must never know Temporal, a socket, or a secret's value: secrets stay
// references until delivery resolves them.
package config
