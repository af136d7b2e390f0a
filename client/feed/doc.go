// Package feed sends a file of commands to interactions: one JSON object a line,
// in order for each interaction, side by side for different ones. What was sent
// before, by its event id, is not sent again, so a feed that broke off is simply
// run again.
//
// It must never know how a command is judged, nor what reads its result.
package feed
