package auth

import (
	"fmt"
	"net/http"

	"segue/gateway/problem"
)

// ForeignError reports that the caller may not use the contact center that the request names. An
// interaction of that contact center is answered like one that does not exist, a list with 403.
type ForeignError struct{ ContactCenter string }

// Error names the contact center.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("the contact center %s is not one of the caller's", e.ContactCenter)
}

// Object is the problem of a request for one object: it is the same as for an object that is missing.
func (*ForeignError) Object() *problem.Problem { return problem.NoInteraction() }

// List is the problem of a request for a list.
func (*ForeignError) List() *problem.Problem {
	return problem.New(problem.NotPermitted, "The contact center is not one of yours.")
}

// ContactCenter returns the contact center of an authenticated request: the one that a header or the
// query names, else the credential's only one. The error is a *problem.Problem or a *ForeignError.
func ContactCenter(r *http.Request) (string, error) { return ContactCenterOf(r, "") }

// ContactCenterOf is ContactCenter for a face whose body or path may name the contact center, too; it
// is empty if they do not. Two places must not name different ones.
func ContactCenterOf(r *http.Request, body string) (string, error) {
	named := body
	var places []string
	for _, name := range centerHeaders {
		places = append(places, r.Header.Values(name)...)
	}
	if r.URL != nil {
		places = append(places, r.URL.Query()["contact_center"]...)
	}
	for _, place := range places {
		if place == "" || place == named {
			continue
		}
		if named != "" {
			return "", problem.New(problem.Malformed, "The request names two contact centers.")
		}
		named = place
	}
	return From(r.Context()).ContactCenter(named)
}

// centerHeaders are the headers that may name the contact center.
var centerHeaders = []string{"Segue-Contact-Center", "Contactcenterid"}

// Repeated returns the name of a place for the contact center, or of one of the headers, that a request must give once
// and gives again; empty if there is none. A proxy in front may have looked at another one than the gateway would.
func Repeated(r *http.Request, headers ...string) string {
	for _, name := range append(centerHeaders[:len(centerHeaders):len(centerHeaders)], headers...) {
		if len(r.Header[name]) > 1 {
			return name
		}
	}
	if len(r.URL.Query()["contact_center"]) > 1 {
		return "contact_center"
	}
	return ""
}

// ContactCenter returns the contact center that is named, or that the caller has alone if none is.
func (c *Caller) ContactCenter(named string) (string, error) {
	switch {
	case c == nil:
		return "", problem.New(problem.Unauthenticated, "")
	case named != "" && !isID(named):
		return "", problem.New(problem.Malformed, "The contact center is not an id.")
	case named != "" && !c.MaySee(named):
		return "", &ForeignError{ContactCenter: named}
	case named != "":
		return named, nil
	case !c.All && len(c.ContactCenters) == 1:
		return c.ContactCenters[0], nil
	case c.fallback != "" && c.MaySee(c.fallback):
		return c.fallback, nil
	default:
		return "", problem.New(problem.ContactCenterRequired, "Name it in the header Segue-Contact-Center, or ContactCenterId.")
	}
}
