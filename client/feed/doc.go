// Package feed sends a file of commands to interactions: one JSON object a line, in order for
// each interaction, in parallel for different ones. Lines of one interaction that wait together
// are one message. Commands that were sent before are
// recognized by their event ids and not sent again: run a feed that was interrupted again.
//
// A line is the payload of a command with the additional fields "interaction", "command" and,
// if the line is not for the default contact center, "contact_center":
//
//	{"interaction":"ixn-1","command":"start","channel":"inbound"}
//	{"interaction":"ixn-1","command":"place_in_queue","event_id":"acd-1","queue":"sales"}
//
// Run sends a whole feed and counts the outcomes; Scan only reads one.
//
// The package must never know how a command is judged, nor what its result is used for.
package feed
