package engagement

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"segue/gateway/auth"
	"segue/interaction"
)

// trustedRate is how many requests a second a trusted network may send.
const trustedRate = 200

// Trust lets requests through to next that come from a trusted network without any credential, as the
// platform's of its contact center. All others go to otherwise, which authenticates them.
func (f *Face) Trust(next, otherwise http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := f.callerOf(r)
		foreign := foreignIn(r)
		switch {
		case caller != nil && foreign == "":
			next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), caller)))
		case caller != nil && !slices.Contains(credentials, foreign):
			otherwise.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), distrustKey{}, foreign)))
		default:
			otherwise.ServeHTTP(w, r)
		}
	})
}

// Headers that no strategy of a trusted network sends: those of a credential, which must be right if there is one;
// of a browser, whose page may be anybody's; and of a proxy, behind which may be all the world.
var (
	credentials = []string{"Authorization", "X-Api-Key", "Cookie"}
	ofBrowsers  = []string{"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"}
	foreign     = slices.Concat(credentials, ofBrowsers, auth.Forwarding)
)

// foreignIn returns the first of those headers that a request has; empty for none.
func foreignIn(r *http.Request) string {
	for _, name := range foreign {
		if len(r.Header[name]) > 0 {
			return name
		}
	}
	return ""
}

// distrustKey is of the header because of which a request from a trusted network needs a credential.
type distrustKey struct{}

// distrust returns why a request from a trusted network is refused; empty for any other. Its text has no value of a
// header, which may be the address of a person.
func distrust(r *http.Request) string {
	name, isDistrusted := r.Context().Value(distrustKey{}).(string)
	if !isDistrusted {
		return ""
	}
	sender := "proxies"
	if slices.Contains(ofBrowsers, name) {
		sender = "browsers"
	}
	return fmt.Sprintf("The network is in gateway.engagement.trusted, but the request has the header %s (%s), which %s send: "+
		"send the request without it, or with a credential.", name, valueOf(name), sender)
}

// valueOf returns what the value of a header is.
func valueOf(name string) string {
	for suffix, value := range map[string]string{"-Host": "a host", "-Server": "a host", "-Proto": "a scheme", "-Port": "a port", "Via": "a proxy",
		"Origin": "a site", "Referer": "the address of a page"} {
		if strings.HasSuffix(name, suffix) {
			return value
		}
	}
	if slices.Contains(ofBrowsers, name) {
		return "the purpose of a request"
	}
	return "the address of a client"
}

// callerOf returns the caller that a trusted network is; nil for none. Of several networks the narrowest
// counts.
func (f *Face) callerOf(r *http.Request) *auth.Caller {
	remote := auth.RemoteOf(r)
	var found *Network
	for _, n := range f.Settings().Trusted {
		if contains(n.Network, remote) && (found == nil || n.Network.Bits() > found.Network.Bits()) {
			found = &n
		}
	}
	if found == nil {
		return nil
	}
	return &auth.Caller{
		Name: "network:" + found.Network.String() + ":" + found.ContactCenter, Role: interaction.RolePlatform,
		ContactCenters: []string{found.ContactCenter}, Rate: trustedRate,
	}
}

func contains(network netip.Prefix, remote netip.Addr) bool {
	return remote.IsValid() && network.Contains(remote)
}
