// Package notify notifies agents' sessions, over CometD, of what changes: interactions in which they take
// part, workbins that they watch, their own channels and devices.
//
// One reader of the index follows the changes of all interactions. The notifier keeps each open interaction
// as its sessions have seen it, so that a change is always the difference between what they have seen and
// what is true, also if changes between were lost to this replica. A state that neither a notice nor the
// index has is queried, while all other interactions go on.
//
// The package must never give a command or answer a request, or wait for a client.
package notify
