// Package connect connects every Segue process to Temporal: it dials with the options that fit the address, prepares a
// namespace for Segue, and reports what an unprepared namespace lacks.
//
// It may import the Temporal SDK and API and nothing of Segue. It gets its settings from the caller and reads no
// configuration. It must never know workflows, the domain, or whether the Temporal at the other end is embedded, a cluster
// or a cloud.
package connect
