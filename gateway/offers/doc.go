// Package offers gets the scripts and dispositions that a contact center offers on the desktops of its agents
// from a configured call.
//
// What a receiver responds with counts for a short time, and one request at a time asks it for a contact
// center. The package must never know what a desktop is.
package offers
