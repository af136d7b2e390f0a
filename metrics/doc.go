// Package metrics holds the instruments that Segue's rooms record with: one method
// for each thing worth counting, and a catalogue of what is exported.
//
// It must never know a contact center, an interaction or anybody's data: its labels
// are calls of the configuration and words of closed sets. Nor does it know who
// reads the metrics; that is export's business.
package metrics
