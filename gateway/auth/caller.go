package auth

import (
	"context"
	"slices"
	"time"

	"segue/interaction"
)

// Caller is who sends a request.
type Caller struct {
	// Name identifies the credential in logs, limits and cursors. It is no secret and no personal
	// data: "key:NAME", "jwt:<hash of issuer and subject>", "user:NAME", "loopback".
	Name string
	// User is the user whom the caller is for faces that have users; an agent's is the agent's id.
	User string
	Role interaction.Role
	// Agent is the agent's id if Role is agent.
	Agent string
	// ContactCenters are those that the caller may use; All is all of them.
	ContactCenters []string
	All            bool
	// Expires is when the credential ends; zero for never.
	Expires time.Time
	// granted is when the credential ends that a session came from; zero for never. Expires is sooner if
	// the session ends before.
	granted time.Time
	// ByCookie reports that a cookie alone authenticates the request.
	ByCookie bool
	// Rate is how many requests a second the credential may send; 0 is no limit, as for a client on
	// this machine while gateway.auth is empty.
	Rate float64
	// fallback is the contact center of a request that names none; empty if it must name one.
	fallback string
	// origin is the credential that the caller has shown, for a session cookie.
	origin source
	// still reports whether the credential counts now.
	still func() bool
}

// MaySee reports whether the caller may use a contact center.
func (c *Caller) MaySee(contactCenter string) bool {
	return c.All || slices.Contains(c.ContactCenters, contactCenter)
}

// Actor returns the caller as commands name it.
func (c *Caller) Actor() *interaction.Actor {
	return &interaction.Actor{ID: c.User, Role: c.Role}
}

// Counts reports whether the credential still counts: it has not expired, and was not removed.
func (c *Caller) Counts(now time.Time) bool {
	return (c.Expires.IsZero() || now.Before(c.Expires)) && (c.still == nil || c.still())
}

// ForStream returns the caller of a stream, which is a use of the session while it is open: it ends with
// the credential that opened the session, not 8 hours after the cookie was sealed.
func (c *Caller) ForStream() *Caller {
	if !c.ByCookie {
		return c
	}
	lasting := *c
	lasting.Expires = c.granted
	return &lasting
}

// SameGrant reports whether two callers are the same and may do the same, whenever their credentials end.
func (c *Caller) SameGrant(other *Caller) bool {
	return c.Name == other.Name && c.User == other.User && c.Role == other.Role && c.All == other.All &&
		slices.Equal(c.ContactCenters, other.ContactCenters)
}

// endsAfter reports whether a credential lasts longer than another.
func (c *Caller) endsAfter(other *Caller) bool {
	return !other.Expires.IsZero() && (c.Expires.IsZero() || c.Expires.After(other.Expires))
}

type callerKey struct{}

// With returns a context with the caller.
func With(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From returns the caller of a request that was authenticated; nil otherwise.
func From(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}
