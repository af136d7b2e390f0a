package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/auth"
	"segue/gateway/problem"
)

func TestTheContactCenterOfARequest(t *testing.T) {
	one := &auth.Caller{ContactCenters: []string{"acme"}}
	two := &auth.Caller{ContactCenters: []string{"acme", "globex"}}
	all := &auth.Caller{All: true}
	rows := []struct {
		name    string
		caller  *auth.Caller
		target  string
		headers []string
		body    string
		want    string
		problem string
		foreign bool
	}{
		{name: "the only one", caller: one, target: "/", want: "acme"},
		{name: "none of several", caller: two, target: "/", problem: problem.ContactCenterRequired},
		{name: "none of all", caller: all, target: "/", problem: problem.ContactCenterRequired},
		{name: "by header", caller: two, target: "/", headers: []string{"Segue-Contact-Center", "globex"}, want: "globex"},
		{name: "by the header of GWS", caller: two, target: "/", headers: []string{"ContactCenterId", "globex"}, want: "globex"},
		{name: "by query", caller: two, target: "/?contact_center=globex", want: "globex"},
		{name: "by body", caller: two, target: "/", body: "globex", want: "globex"},
		{name: "any of all", caller: all, target: "/?contact_center=x", want: "x"},
		{name: "twice the same", caller: two, target: "/?contact_center=globex", headers: []string{"Segue-Contact-Center", "globex"}, body: "globex", want: "globex"},
		{name: "two", caller: two, target: "/?contact_center=acme", headers: []string{"Segue-Contact-Center", "globex"}, problem: problem.Malformed},
		{name: "two by query", caller: two, target: "/?contact_center=acme&contact_center=globex", problem: problem.Malformed},
		{name: "two, one by body", caller: two, target: "/?contact_center=acme", body: "globex", problem: problem.Malformed},
		{name: "no id", caller: all, target: "/?contact_center=a%2Fb", problem: problem.Malformed},
		{name: "another's", caller: one, target: "/?contact_center=globex", foreign: true},
		{name: "all is no name", caller: one, target: "/?contact_center=*", problem: problem.Malformed},
		{name: "no caller", target: "/?contact_center=acme", problem: problem.Unauthenticated},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := request("GET", row.target, row.headers...)
			if row.caller != nil {
				r = r.WithContext(auth.With(r.Context(), row.caller))
			}
			got, err := auth.ContactCenterOf(r, row.body)
			require.Equal(t, row.want, got)
			switch {
			case row.foreign:
				var foreign *auth.ForeignError
				require.ErrorAs(t, err, &foreign)
				require.Equal(t, problem.NoInteraction(), foreign.Object())
				require.Equal(t, 403, foreign.List().Status)
			case row.problem != "":
				var p *problem.Problem
				require.ErrorAs(t, err, &p)
				require.Equal(t, row.problem, p.Type)
			default:
				require.NoError(t, err)
			}
		})
	}
}

func TestOnLoopbackTheContactCenterIsTheDefaultUnlessNamed(t *testing.T) {
	f := newFixture(t, config.Gateway{})
	for target, want := range map[string]string{"http://localhost/": "default", "http://localhost/?contact_center=acme": "acme"} {
		r := local("GET", target)
		caller := f.send(auth.Platform(), r).caller
		got, err := auth.ContactCenter(r.WithContext(auth.With(r.Context(), caller)))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
