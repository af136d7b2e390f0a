// Package engagement is the Engagement API of Genesys Web Engagement (GWE), as a server: engage and
// noengage, which a strategy sends, and the disposition, with which the page of a visitor answers an
// invitation.
//
// Package ticket signs what a page shows, and package visitor sends invitations to pages.
//
// It must never know Temporal, a bus, or how a page gets its invitation.
package engagement
