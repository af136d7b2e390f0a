// Package metrics contains the instruments with which the packages of Segue record what they
// do: one method for each event that is counted, and a catalogue of the exported metrics.
//
// It must never know a contact center, an interaction or anybody's data: its labels are
// calls of the configuration and words of closed sets. Nor does it know who reads the
// metrics; package export does.
package metrics
