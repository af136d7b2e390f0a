package auth

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"segue/interaction"
)

// fallbackCenter is the contact center of a request on loopback that names none.
const fallbackCenter = "default"

// byLoopback authenticates while gateway.auth is empty: a program on this machine is the platform, and
// with Basic an agent. Pages of other sites must not be such a program, although a browser on this
// machine runs them.
func (a *Auth) byLoopback(s *state, f Face, r *http.Request, given credential) (*Caller, *session, *refusal) {
	if !isLocal(r) {
		return nil, nil, notPermitted("origin", "Without gateway.auth, only programs on this machine are served, and no pages of other sites.")
	}
	switch given.kind {
	case kindBasic:
		caller, no := a.agentOnLoopback(given.name)
		return caller, nil, no
	case kindKey, kindJWT:
		return nil, nil, wrong("not-configured") // what a client shows is never ignored
	}
	// A cookie of a process before this one is no obstacle: without any, the request is the platform's.
	if caller, sess, no := a.byCookie(s, r, f.Cookie); no == nil {
		return caller, sess, nil
	}
	return a.callerOfLoopback(source{kind: kindLoopback, name: "loopback", caller: "loopback", user: "loopback",
		role: interaction.RolePlatform, all: true}), nil, nil
}

// agentOnLoopback is the agent NAME, or of the contact center CC as CC/NAME.
func (a *Auth) agentOnLoopback(name string) (*Caller, *refusal) {
	center, agent, named := strings.Cut(name, "/")
	if !named {
		center, agent = "", name
	}
	if !isID(agent) || (named && !isID(center)) {
		return nil, wrong("loopback-name")
	}
	from := source{kind: kindLoopback, name: "loopback", caller: "loopback:" + digest(center, agent), user: agent,
		role: interaction.RoleAgent, all: !named}
	if named {
		from.centers = []string{center}
	}
	return a.callerOfLoopback(from), nil
}

func (a *Auth) callerOfLoopback(from source) *Caller {
	caller := &Caller{Name: from.caller, User: from.user, Role: from.role, ContactCenters: from.centers, All: from.all,
		fallback: fallbackCenter, origin: from}
	if from.role == interaction.RoleAgent {
		caller.Agent, caller.Rate = from.user, defaultRate
	}
	caller.still = func() bool { return !a.current.Load().configured }
	return caller
}

// Forwarding are the headers of proxies. Behind one, also of this machine, may be all the world.
var Forwarding = []string{
	"Via", "Forwarded", "X-Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Original-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip",
	"Fastly-Client-Ip", "X-Envoy-External-Address",
}

// isLocal reports whether a request comes from a program of this machine: by its address, by the Host,
// which a page that rebinds its name in the DNS cannot choose, and by what browsers say of pages.
func isLocal(r *http.Request) bool {
	if !RemoteOf(r).IsLoopback() || !isLoopbackName(hostOf(r.Host)) {
		return false
	}
	if slices.ContainsFunc(Forwarding, func(name string) bool { return len(r.Header[name]) > 0 }) {
		return false
	}
	switch origin := r.Header["Origin"]; len(origin) {
	case 0:
		return isOwnFetch(r) || isNavigation(r)
	case 1:
		return isSameOrigin(r, origin[0])
	default:
		return false
	}
}

// hostOf returns the host of host:port, without the brackets of an IPv6 address.
func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}
