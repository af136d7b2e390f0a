// Package notify notifies agents' sessions, over CometD, of what changes: interactions in which they take
// part, workbins that they watch, their own channels and devices.
//
// The package must never give a command or answer a request.
package notify
