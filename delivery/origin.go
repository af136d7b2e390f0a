package delivery

import (
	"errors"
	"net/url"
	"strings"

	"segue/contract"
	"segue/excerpt"
)

// OriginOf returns the scheme, host and port of a call's URL, as in
// https://crm.example.com:443, or "" if the URL has none. The URL may contain
// expressions after its host; a configuration refuses expressions in the host.
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

// origin returns a URL's scheme, host and port in the spelling in which origins are
// compared. A dot at the end of a name stays: with it, the name may resolve to another host.
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

// checkOrigin returns an error if the request goes to another origin than its call does
// by the current configuration. Credentials belong to the call's receiver: a request that
// was rendered for another receiver, or by somebody else, must not carry them there.
func (p Policy) checkOrigin(r contract.Request) error {
	target, err := url.Parse(r.URL)
	if p.Origin == "" || err != nil { // newRequest reports an invalid URL
		return nil
	}
	if to := origin(target); to != p.Origin {
		return errors.New("not sent: the request is for " + excerpt.Cut(to, maxOrigin) + ", but the call's url is now at " +
			excerpt.Cut(p.Origin, maxOrigin) + "; redeliver with rerender: true, or restore the url")
	}
	return nil
}

// maxOrigin bounds each of two origins in a message, in bytes.
const maxOrigin = 90
