// Package ticket signs and reads the tokens of web engagement: that of a visit, with which a page gets
// the invitations of its visitor, and that of an invitation, with which the page reports the answer.
//
// It must never know HTTP, nor what a token is good for.
package ticket
