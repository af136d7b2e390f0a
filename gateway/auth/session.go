package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"

	"segue/delivery"
	"segue/gateway/problem"
	"segue/interaction"
)

// The cookies. Each face looks at its own alone.
const (
	GWSCookie      = "JSESSIONID"
	PlatformCookie = "segue_session"
)

// A session ends when it is unused for sessionTime. Its cookie is sealed again once it is older than
// resealAfter, not with each answer.
const (
	sessionTime = 8 * time.Hour
	resealAfter = 5 * time.Minute
	// maxCookies is how many cookies of one name are tried: another host of the domain may have set one.
	maxCookies = 4
	// maxCookie is the size of a cookie's value that browsers keep, in bytes.
	maxCookie = 4000
	// minSessionKey is the least length of a session key, in bytes.
	minSessionKey = 32
)

var errLargeCookie = errors.New("auth: the session is too large for a cookie")

// source is the credential that a session came from. What a key or a user may do is read from the
// configuration again with each use; what a token granted is in here.
type source struct {
	kind    kind
	name    string // in the configuration
	caller  string
	user    string
	role    interaction.Role
	centers []string
	all     bool
	expires time.Time
}

// session is what a cookie holds. It is sealed: nobody but a gateway reads or makes one.
type session struct {
	ID      string           `json:"i"`
	CSRF    string           `json:"t"`
	Sealed  int64            `json:"s"`
	Kind    kind             `json:"k"`
	Name    string           `json:"n"`
	Version []byte           `json:"v"`
	Caller  string           `json:"c,omitempty"`
	User    string           `json:"u,omitempty"`
	Role    interaction.Role `json:"r,omitempty"`
	Centers []string         `json:"cc,omitempty"`
	All     bool             `json:"a,omitempty"`
	Expires int64            `json:"e,omitempty"`
}

// sealer seals and opens cookies with keys derived from one session key.
type sealer struct {
	codec *securecookie.SecureCookie
	// version keys the hashes that tie a session to the key or password that it came from.
	version []byte
}

func newSealer(secret string) (*sealer, error) {
	if len(secret) < minSessionKey {
		return nil, fmt.Errorf("shorter than %d characters; make one with: openssl rand -base64 32", minSessionKey)
	}
	derived := make([][]byte, 3)
	for n, use := range []string{"segue cookie authentication", "segue cookie encryption", "segue cookie version"} {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, use, sha256.Size)
		if err != nil {
			return nil, err
		}
		derived[n] = key
	}
	codec := securecookie.New(derived[0], derived[1])
	codec.SetSerializer(securecookie.JSONEncoder{})
	codec.MaxAge(0)    // the session has its own times, by our clock
	codec.MaxLength(0) // see maxCookie
	return &sealer{codec: codec, version: derived[2]}, nil
}

func (a *Auth) addSealers(s *state, refs []delivery.SecretRef) error {
	secrets := make([]string, 0, max(1, len(refs)))
	for n, ref := range refs {
		secret, err := a.options.Resolve(ref)
		if err != nil {
			return fmt.Errorf("gateway.session_keys[%d]: %w", n, err)
		}
		secrets = append(secrets, secret)
	}
	if len(refs) == 0 {
		secrets = append(secrets, a.made)
	}
	for n, secret := range secrets {
		sealer, err := newSealer(secret)
		if err != nil {
			return fmt.Errorf("gateway.session_keys[%d]: %w", n, err)
		}
		s.sealers = append(s.sealers, sealer)
	}
	return nil
}

// versionOf hashes what makes a credential this one: a key's digest, a user's password, an issuer.
func (s *sealer) versionOf(material string) []byte {
	mac := hmac.New(sha256.New, s.version)
	mac.Write([]byte(material))
	return mac.Sum(nil)
}

// material returns what ties a session to its credential, in the current configuration; false if
// the credential is gone.
func (a *Auth) material(s *state, k kind, name string) (string, bool) {
	switch k {
	case kindKey:
		if found := s.keyNamed(name); found != nil {
			return "key\x00" + string(found.digest[:]), true
		}
	case kindBasic:
		if u := s.users[name]; u != nil {
			material, err := a.passwords.material(u)
			return "user\x00" + material, err == nil
		}
	case kindJWT:
		if i := s.issuerNamed(name); i != nil {
			return "jwt\x00" + i.config.URL + "\x00" + i.config.Audience, true
		}
	case kindLoopback:
		return "loopback", !s.configured
	}
	return "", false
}

func (s *state) issuerNamed(name string) *issuer {
	for _, i := range s.issuers {
		if i.config.Name == name {
			return i
		}
	}
	return nil
}

// Open starts a session for a caller whose credential was in a message, and sets its cookie; the session
// that the request's cookie has goes on if it is the same caller's. It reports an error if the caller has
// no credential that a session can come from, or the cookie would be too large for a browser.
func (a *Auth) Open(w http.ResponseWriter, r *http.Request, caller *Caller, cookie string) error {
	if !caller.Counts(a.options.Now()) { // a token in the leeway of its exp: its session would have ended
		return nil
	}
	_, err := a.join(a.current.Load(), Face{Cookie: cookie}, w, r, caller)
	return err
}

func (a *Auth) open(s *state, w http.ResponseWriter, r *http.Request, caller *Caller, cookie string) (*session, error) {
	opened := sessionFrom(caller.origin)
	return opened, a.seal(s, w, r, opened, cookie)
}

func sessionFrom(from source) *session {
	opened := &session{ID: rand.Text(), CSRF: rand.Text(), Kind: from.kind, Name: from.name}
	if from.kind == kindJWT || from.kind == kindLoopback {
		opened.Caller, opened.User, opened.Role, opened.Centers, opened.All = from.caller, from.user, from.role, from.centers, from.all
		opened.Expires = unixOf(from.expires)
	}
	return opened
}

// unixOf returns a time in seconds; 0 for none.
func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// seal sets the cookie, sealed by the newest key now.
func (a *Auth) seal(s *state, w http.ResponseWriter, r *http.Request, sess *session, cookie string) error {
	material, ok := a.material(s, sess.Kind, sess.Name)
	if !ok {
		return errors.New("auth: the credential of the session is gone")
	}
	sealer := s.sealers[0]
	sess.Version, sess.Sealed = sealer.versionOf(material), a.options.Now().Unix()
	value, err := sealer.codec.Encode(cookie, sess)
	if err != nil {
		return fmt.Errorf("auth: sealing a session: %w", err)
	}
	if len(value) > maxCookie {
		return errLargeCookie
	}
	http.SetCookie(w, s.cookie(r, cookie, value, int(sessionTime/time.Second)))
	return nil
}

// Cookie returns a cookie with the attributes of a session's, which ends with the browser.
func (a *Auth) Cookie(r *http.Request, name, value string) *http.Cookie {
	return a.current.Load().cookie(r, name, value, 0)
}

func (s *state) cookie(r *http.Request, name, value string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || s.secure}
	if c.Secure && len(s.origins) > 0 {
		c.SameSite = http.SameSiteNoneMode // pages of another site need it
	}
	return c
}

// End ends the session of a cookie at the client. A copy of the cookie counts until it has been unused
// for 8 hours, or its credential is gone.
func (a *Auth) End(w http.ResponseWriter, r *http.Request, cookie string) {
	http.SetCookie(w, a.current.Load().cookie(r, cookie, "", -1))
}

// Session starts a /v1 session for the caller of an authenticated request, and gives its CSRF token
// in the answer's headers: what POST /v1/session does. A cookie cannot start another session.
func (a *Auth) Session(w http.ResponseWriter, r *http.Request) error {
	caller := From(r.Context())
	if caller == nil {
		return problem.New(problem.Unauthenticated, "")
	}
	if caller.ByCookie {
		return problem.New(problem.NotPermitted, "A session starts with a key, a token or a password, not with another session.")
	}
	if !caller.Counts(a.options.Now()) { // a token in the leeway of its exp: its session would have ended
		return problem.New(problem.Unauthenticated, "The credential has expired; get a new one.")
	}
	opened, err := a.open(a.current.Load(), w, r, caller, PlatformCookie)
	if errors.Is(err, errLargeCookie) {
		return problem.New(problem.TooLarge, "The token grants more than a cookie has room for; send the token itself with each request.")
	}
	if err != nil {
		a.options.Log.Error("A session cannot be opened", "caller", caller.Name, "error", err)
		return problem.New(problem.Internal, "")
	}
	giveCSRF(w, opened)
	return nil
}

// CSRF headers, as Genesys names them.
const (
	csrfHeader     = "X-CSRF-HEADER"
	csrfTokenName  = "X-CSRF-TOKEN"
	canonicalToken = "X-Csrf-Token"
)

// giveCSRF writes the names as Genesys does, not as Go would: clients look them up in the answer's
// headers as they came, and their case counts there.
func giveCSRF(w http.ResponseWriter, s *session) {
	w.Header()[csrfHeader] = []string{csrfTokenName}
	w.Header()[csrfTokenName] = []string{s.CSRF}
}

// isCSRF reports whether a token is the session's.
func (s *session) isCSRF(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.CSRF)) == 1
}

// byCookie returns the session of a request's cookie and its caller; none without a cookie that counts.
func (a *Auth) byCookie(s *state, r *http.Request, name string) (*Caller, *session, *refusal) {
	if name == "" {
		return nil, nil, absent()
	}
	no := absent()
	cookies := r.CookiesNamed(name)
	for _, c := range cookies[:min(len(cookies), maxCookies)] {
		sess, sealer := s.unseal(name, c.Value)
		if sess == nil {
			no = wrong("cookie-foreign")
			continue
		}
		var caller *Caller
		if caller, no = a.callerOfSession(s, sess, sealer); no == nil {
			return caller, sess, nil
		}
	}
	no.guess = false // nobody guesses a cookie, and pages go on for a while with one that has ended
	return nil, nil, no
}

func (s *state) unseal(name, value string) (*session, *sealer) {
	if len(value) > maxCookie {
		return nil, nil
	}
	for _, sealer := range s.sealers {
		var opened session
		if sealer.codec.Decode(name, value, &opened) == nil {
			return &opened, sealer
		}
	}
	return nil, nil
}

// callerOfSession checks that the session is in use and that its credential still counts.
func (a *Auth) callerOfSession(s *state, sess *session, sealer *sealer) (*Caller, *refusal) {
	end := time.Unix(sess.Sealed, 0).Add(sessionTime)
	if !a.options.Now().Before(end) {
		return nil, wrong("cookie-expired")
	}
	material, ok := a.material(s, sess.Kind, sess.Name)
	if !ok || !hmac.Equal(sealer.versionOf(material), sess.Version) {
		return nil, wrong("cookie-credential-gone")
	}
	caller, no := a.callerOfSource(s, sess)
	if no != nil {
		return nil, no
	}
	caller.ByCookie, caller.granted = true, caller.Expires
	if caller.Expires.IsZero() || end.Before(caller.Expires) {
		caller.Expires = end
	}
	return caller, nil
}

func (a *Auth) callerOfSource(s *state, sess *session) (*Caller, *refusal) {
	switch sess.Kind {
	case kindKey:
		return a.callerOfKey(s.keyNamed(sess.Name))
	case kindBasic:
		return a.callerOfUser(s.users[sess.Name])
	}
	from := source{kind: sess.Kind, name: sess.Name, caller: sess.Caller, user: sess.User, role: sess.Role, centers: sess.Centers, all: sess.All}
	if sess.Kind == kindLoopback {
		return a.callerOfLoopback(from), nil
	}
	from.expires = time.Unix(sess.Expires, 0)
	if !a.options.Now().Before(from.expires) {
		return nil, wrong("cookie-token-expired")
	}
	i := s.issuerNamed(sess.Name)
	from.centers, from.all = i.within(from.centers, from.all)
	if len(from.centers) == 0 && !from.all {
		return nil, wrong("cookie-contact-centers")
	}
	return a.callerOfToken(i, from), nil
}
