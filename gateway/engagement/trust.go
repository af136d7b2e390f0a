package engagement

import (
	"net/http"
	"net/netip"
	"slices"

	"segue/gateway/auth"
	"segue/interaction"
)

// trustedRate is how many requests a second a trusted network may send.
const trustedRate = 200

// Trust lets requests through to next that come from a trusted network without any credential, as the
// platform's of its contact center. All others go to otherwise, which authenticates them.
func (f *Face) Trust(next, otherwise http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller := f.trusted(r); caller != nil {
			next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), caller)))
			return
		}
		otherwise.ServeHTTP(w, r)
	})
}

// foreign are headers that no strategy sends: those of a credential, which must be right if there is one;
// of a proxy, behind which may be all the world; and of a browser, whose page may be anybody's.
var foreign = append([]string{"Authorization", "X-Api-Key", "Cookie", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"}, auth.Forwarding...)

// trusted returns the caller that a trusted network is; nil for none. Of several networks the narrowest
// counts.
func (f *Face) trusted(r *http.Request) *auth.Caller {
	if slices.ContainsFunc(foreign, func(name string) bool { return len(r.Header[name]) > 0 }) {
		return nil
	}
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
