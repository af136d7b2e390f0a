// Package interaction is the domain: what an interaction is, which commands change it,
// which segments its legs pass through, and which moments that fires.
//
// Everything here is pure: the same interaction, command and time give the same result on
// every machine and in every replay. The package must never know Temporal, HTTP,
// configuration, a clock, randomness or the order of a map.
package interaction
