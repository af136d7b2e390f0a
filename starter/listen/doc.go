// Package listen is a receiver for people: it shows each request that arrives, and gives every one the same answer.
//
// It knows HTTP and the names of moments. It must never know the configuration, Temporal, or what Segue means to send:
// it shows what arrived, from whomever.
package listen
