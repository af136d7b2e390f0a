// Package lanes finds the deliveries that lane workflows hold, across a namespace,
// and passes an operator's wish on to them: to send them again, or to give them up.
//
// It must never know how they are shown, nor how Temporal is reached.
package lanes
