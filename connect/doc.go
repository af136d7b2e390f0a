// Package connect is how every Segue process reaches Temporal: it dials with the settings that fit the address, prepares
// a namespace for Segue, and tells what is missing in one that was not prepared.
//
// It may import the Temporal SDK and API and nothing of Segue; it is told its settings and reads no configuration. It
// must never know workflows, the domain, or whether the Temporal at the other end is embedded, a cluster or a cloud.
package connect
