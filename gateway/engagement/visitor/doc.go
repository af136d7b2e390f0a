// Package visitor sends invitations to the pages of visitors: by CometD, and as server-sent events for
// pages without it. A page that comes late, or is loaded again, gets the invitation that is open. A page
// that was away also gets that those are over which it had.
//
// The package follows the index: whatever changes an interaction, its pages see the invitation that the
// index has, and that it is over.
//
// The package must never give a command, or wait for a page.
package visitor
