package delivery

import (
	"net/url"
	"strings"

	"segue/contract"
)

// OriginOf returns the scheme, host and port of a call's URL, as in
// https://crm.example.com:443, and "" if the URL has none. The URL may hold
// expressions after its host; a configuration refuses them in it.
func OriginOf(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	return origin(u)
}

// origin is a URL's scheme, host and port in the one spelling that is compared. A dot
// at the end of a name stays: with it, the name may resolve to another host.
func origin(u *url.URL) string {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	switch {
	case port != "":
	case scheme == "http":
		port = "80"
	case scheme == "https":
		port = "443"
	}
	return scheme + "://" + host + ":" + port
}

// strays returns why a request must not be sent, or "" if it goes where its call goes
// by the current configuration. Credentials belong to the call's receiver: a request
// that was rendered for another one, or by somebody else, must not carry them there.
func (p Policy) strays(r contract.Request) string {
	target, err := url.Parse(r.URL)
	if p.Origin == "" || err != nil { // an invalid URL is refused as such
		return ""
	}
	if to := origin(target); to != p.Origin {
		return "not sent: the request is for " + bounded(to, maxOrigin) + ", the call's url is at " + bounded(p.Origin, maxOrigin) +
			" now; redeliver with rerender: true, or restore the url"
	}
	return ""
}

// maxOrigin bounds each of two origins in a message, in bytes.
const maxOrigin = 90
