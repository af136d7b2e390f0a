package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"
)

// pattern is an origin in gateway.cors: exact, or all subdomains.
type pattern struct {
	exact                string
	scheme, suffix, port string
}

type origins []pattern

// isDNS keeps out what is no host name, so that a suffix match means a subdomain.
var isDNS = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`).MatchString

func (s *state) addOrigins(list []string) error {
	var wrong error
	for n, text := range list {
		p, err := parsePattern(text)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("gateway.cors[%d]: %w", n, err))
			continue
		}
		s.origins = append(s.origins, p)
	}
	return wrong
}

func parsePattern(text string) (pattern, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	inner, isWild := strings.CutPrefix(rest, "*.")
	u, err := parseOrigin(scheme + "://" + inner)
	if err != nil {
		return pattern{}, fmt.Errorf("%q is no origin such as https://app.example.com or https://*.example.com", text)
	}
	if !isWild {
		return pattern{exact: normal(u)}, nil
	}
	host := strings.ToLower(u.Hostname())
	if !isDNS(host) || !strings.Contains(host, ".") {
		return pattern{}, fmt.Errorf("%q: *. must precede a domain such as example.com", text)
	}
	return pattern{scheme: u.Scheme, suffix: "." + host, port: portOf(u)}, nil
}

// parseOrigin parses an origin as browsers send it: scheme, host and port, nothing else.
func parseOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(text, "*#") {
		return nil, errors.New("not an origin")
	}
	return u, nil
}

// normal returns an origin in lower case with its port.
func normal(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + portOf(u)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// allow reports whether an Origin is in the list.
func (o origins) allow(origin string) bool {
	u, err := parseOrigin(origin)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, p := range o {
		if p.exact != "" && p.exact == normal(u) {
			return true
		}
		if p.suffix != "" && u.Scheme == p.scheme && portOf(u) == p.port && strings.HasSuffix(host, p.suffix) && isDNS(host) {
			return true
		}
	}
	return false
}

// isOwn reports whether an Origin is the server's own: of gateway.public_url, or the one that the
// request was sent to.
func (s *state) isOwn(r *http.Request, origin string) bool {
	u, err := parseOrigin(origin)
	if err != nil {
		return false
	}
	return (s.public != "" && normal(u) == s.public) || isSameOrigin(r, origin)
}

// isSameOrigin compares an Origin with the Host. The scheme counts only if this server has TLS: before
// one without, a proxy may have it.
func isSameOrigin(r *http.Request, origin string) bool {
	u, err := parseOrigin(origin)
	if err != nil || (r.TLS != nil && u.Scheme != "https") {
		return false
	}
	own, err := parseOrigin(u.Scheme + "://" + r.Host)
	return err == nil && normal(own) == normal(u)
}

// IsFriendly reports whether no page of a foreign site has sent a request, as far as its browser says.
func (a *Auth) IsFriendly(r *http.Request) bool { return a.current.Load().isFriendly(r) }

// isFriendly reports whether no page of a foreign site has sent the request.
func (s *state) isFriendly(r *http.Request) bool {
	switch origin := r.Header["Origin"]; len(origin) {
	case 0:
		return isOwnFetch(r)
	case 1:
		return s.isOwn(r, origin[0]) || s.origins.allow(origin[0])
	default:
		return false
	}
}

// isOwnFetch reports whether the browser says that no other site's page has sent a request. Other
// clients, and old browsers, say nothing.
func isOwnFetch(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// isNavigation reports whether a person follows a link: the page that has the link cannot read the
// answer.
func isNavigation(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// What pages of the origins in gateway.cors may send and read, besides what any page may.
var (
	corsMethods  = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}
	corsRequests = []string{"Accept", "Authorization", "Content-Type", "ContactCenterId", "Idempotency-Key", "If-None-Match", "Last-Event-ID",
		"Segue-Contact-Center", "Segue-Request-Id", "X-API-Key", csrfTokenName, "X-Requested-With"}
	corsAnswers = []string{"ETag", "Idempotency-Key", "Location", "Retry-After", "Segue-Request-Id", csrfHeader, csrfTokenName}
)

const corsMaxAge = 10 * time.Minute

// handler returns nil without origins: then no page of another origin may read anything.
func (o origins) handler() *cors.Cors {
	if len(o) == 0 {
		return nil
	}
	return cors.New(cors.Options{AllowOriginFunc: o.allow, AllowedMethods: corsMethods, AllowedHeaders: corsRequests,
		ExposedHeaders: corsAnswers, AllowCredentials: true, MaxAge: int(corsMaxAge / time.Second)})
}

// CORS lets pages of the origins in gateway.cors use what next serves. It comes before authentication,
// as preflights have no credential.
func (a *Auth) CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler := a.current.Load().cors; handler != nil {
			handler.ServeHTTP(w, inOrder(r), next.ServeHTTP)
			return
		}
		next.ServeHTTP(w, r)
	})
}

const requestedHeaders = "Access-Control-Request-Headers"

// inOrder returns a preflight with the names that it asks for as browsers write them, in lower case and
// in order: the handler takes no other form, and a person who tries it out with curl writes another one.
func inOrder(r *http.Request) *http.Request {
	asked := r.Header.Get(requestedHeaders)
	if r.Method != http.MethodOptions || asked == "" {
		return r
	}
	names := strings.Split(strings.ToLower(asked), ",")
	for n := range names {
		names[n] = strings.TrimSpace(names[n])
	}
	slices.Sort(names)
	inner := new(http.Request)
	*inner = *r
	inner.Header = r.Header.Clone()
	inner.Header.Set(requestedHeaders, strings.Join(slices.Compact(names), ","))
	return inner
}
