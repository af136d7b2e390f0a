// Package board has the figures that people watch: how queues, agents and receivers are doing now.
//
// What is open now comes from the index. What happened in the last time, board.window, is counted from
// the live stream in small buckets of the stream's own time, so that all replicas that read the same
// stream have the same figures. After a start, the counts begin where the stream does, at most 15
// minutes ago, and are complete after one window; a lost notice is repaired in the counts of ended
// interactions, and missing in the service level.
//
// The package must never know HTTP, nor who may see what.
package board
