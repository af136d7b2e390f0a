package gateway

import (
	"net/http"
	"strings"

	"segue/config"
	"segue/gateway/auth"
	"segue/gateway/cometd"
	"segue/gateway/commands"
	"segue/gateway/engagement"
	"segue/gateway/engagement/visitor"
	"segue/gateway/index"
	"segue/gateway/problem"
)

// visits serves web engagement: strategies, and the pages of visitors.
type visits struct {
	face     *engagement.Face
	visitors *visitor.Visitors
	pages    *cometd.Server
}

func newVisits(f *faces, x *index.Index, sender *commands.Sender, o Options) *visits {
	store, log := o.Config, o.Log
	v := &visits{
		face: engagement.New(engagement.Options{
			Sender: sender, Index: x, Tickets: f.tickets, Log: log, Observe: o.instruments().VisitorAnswer, HasRun: o.Client.HasRun,
			Settings: func() engagement.Settings { return engagementSettings(store.Current()) },
		}),
		visitors: visitor.New(visitor.Options{
			Index: x, Tickets: f.tickets, Limits: f.limits, Log: log, Observe: o.instruments().VisitorMessage,
			Open:   func() bool { return store.Current().Gateway.Engagement.Open },
			Center: f.visitorsCenter, Base: f.notifications.base, Caller: stranger,
		}),
	}
	v.pages = v.visitors.CometD(func(w http.ResponseWriter, r *http.Request, status int, detail string) {
		engagement.Refuse(w, r, problem.OfStatus(status, detail))
	})
	return v
}

// visitorsCenter returns the contact center of pages that name none: while nobody needs a credential, all
// that name none have one.
func (f *faces) visitorsCenter() string {
	if f.auth.Configured() {
		return ""
	}
	return auth.FallbackCenter
}

// stranger returns the caller as whose a request without a credential counts.
func stranger(r *http.Request) *auth.Caller {
	return counted(r.WithContext(auth.With(r.Context(), nil)))
}

// engagementSettings are those of web engagement in a configuration.
func engagementSettings(set *config.Set) engagement.Settings {
	s := engagement.Settings{Queue: set.Engagement.Queue}
	for _, t := range set.Gateway.Engagement.Trusted {
		s.Trusted = append(s.Trusted, engagement.Network(t))
	}
	return s
}

// The paths of CometD for pages: of GWE 8.5 and 8.1.2.
var pagePaths = []string{"/server/cometd", "/frontend/cometd"}

// mount serves engage and noengage under both prefixes, and the paths of visitors.
func (v *visits) mount(mux *http.ServeMux, f *faces) {
	served := f.limits.For(counted, engagement.Refuse, noteRoute(v.face.Strategies()))
	api := v.face.Trust(served, f.auth.For(auth.Face{Refuse: engagement.Refuse})(served))
	for _, prefix := range []string{engagement.BackendPrefix, engagement.ServerPrefix} {
		mux.Handle(prefix, api)
	}
	mux.Handle(engagement.DispositionPath, f.forVisitors(v.face.Disposition()))
	mux.Handle(visitor.StreamPath+"{visitID}", f.forVisitors(v.visitors.Stream()))
	for _, path := range pagePaths {
		mux.Handle(path, f.forVisitors(v.pages))
		mux.Handle(path+"/", f.forVisitors(v.pages)) // clients append the name of the message
	}
}

// forVisitors lets pages of visitors use what next serves, each address within its limits.
func (f *faces) forVisitors(next http.Handler) http.Handler {
	limited := f.limits.For(stranger, engagement.Refuse, next)
	return noteRoute(f.auth.Visitors(engagement.Refuse, hostedBy(engagement.Refuse, limited)))
}

// isOfEngagement reports whether a path is one of web engagement, whose refusals have their own form.
func isOfEngagement(path string) bool {
	for _, prefix := range append([]string{engagement.BackendPrefix, engagement.ServerPrefix, visitor.StreamPath}, pagePaths...) {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// hostedBy is hosted for a face that refuses in its own form.
func hostedBy(refuse func(http.ResponseWriter, *http.Request, *problem.Problem), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Host) > maxHost {
			refuse(w, r, problem.New(problem.Malformed, "The Host is longer than a name of a host."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// close ends the sessions of pages.
func (v *visits) close() { v.pages.Close() }
