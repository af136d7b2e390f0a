// Package check finds what is wrong with a configuration that loads. A Report shows every
// call as it would be sent, rendered with sample data, and warns of what is valid but
// hardly intended. A TestCall is one such call, ready to be sent once.
//
// It imports config, never the other way round. It must never know Temporal, a socket,
// or a secret's value.
package check
