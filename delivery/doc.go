// Package delivery sends a rendered request to its receiver and says what came
// of it: authentication, dial guard, limits, breaker, deadline and the closed set
// of outcome classes live here.
//
// It must never know Temporal, an interaction's state, or how a request was
// rendered; it never decides whether a delivery is given up, it only says what
// the schedule has left.
package delivery
