package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"

	"github.com/rs/cors"
	"golang.org/x/crypto/bcrypt"

	"segue/config"
	"segue/interaction"
)

// defaultRate is how many requests a second a credential may send.
const defaultRate = 200

// everywhere stands for all contact centers in the configuration.
const everywhere = "*"

// isID is the alphabet of ids in commands. An id from a token or a name that has another character
// could not be an agent's or a contact center's.
var isID = regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,128}$`).MatchString

// state is a configuration in the form in which requests use it. It never changes.
type state struct {
	configured bool
	keys       []*key
	users      map[string]*user
	decoy      string // the hash of some user; empty if none has one
	issuers    []*issuer
	origins    origins
	cors       *cors.Cors
	// visitors are the origins of visitors' pages, whose paths are others.
	visitors    origins
	visitorCORS *cors.Cors
	sealers     []*sealer
	public      string
	secure      bool
	csrf        bool // gateway.gws.csrf is required
}

func (a *Auth) build(g config.Gateway, before *state) (*state, error) {
	s := &state{configured: g.Auth.Configured(), users: map[string]*user{}, csrf: g.GWS.CSRF}
	if !s.configured && !isLocalAddress(g.Address) {
		return nil, fmt.Errorf("gateway.address: %s is reachable from other machines, and gateway.auth is empty; "+
			"set gateway.auth, or listen on 127.0.0.1", g.Address)
	}
	var wrong error
	s.public, s.secure, wrong = publicOrigin(g.PublicURL)
	s.origins = make(origins, 0, len(g.CORS))
	s.visitors = make(origins, 0, len(g.Engagement.Origins))
	wrong = errors.Join(wrong, s.addKeys(g.Auth.APIKeys), a.addUsers(s, g.Auth.Users), a.addIssuers(s, g.Auth.JWT, before),
		s.origins.add("gateway.cors", g.CORS), s.visitors.add("gateway.engagement.origins", g.Engagement.Origins), a.addSealers(s, g.SessionKeys))
	if wrong != nil {
		return nil, wrong
	}
	s.cors = s.origins.handler(corsMethods, corsRequests, corsAnswers)
	s.visitorCORS = s.visitors.handler(visitorMethods, visitorRequests, visitorAnswers)
	return s, nil
}

// isLocalAddress reports whether only this machine can reach the address. An empty one is the default.
func isLocalAddress(address string) bool {
	if address == "" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopbackName(host)
}

func (s *state) addKeys(keys []config.APIKey) error {
	names := map[string]bool{}
	var wrong error
	for n, k := range keys {
		where := fmt.Sprintf("gateway.auth.api_keys[%d]", n)
		digest, err := hex.DecodeString(k.SHA256)
		if err != nil || len(digest) != sha256.Size {
			wrong = errors.Join(wrong, fmt.Errorf("%s: sha256: not 64 hexadecimal digits", where))
			continue
		}
		added := &key{config: k, digest: [sha256.Size]byte(digest)}
		if s.keyOf(added.digest) != nil || names[k.Name] {
			wrong = errors.Join(wrong, fmt.Errorf("%s: this key or name is there already", where))
		}
		names[k.Name] = true
		wrong = errors.Join(wrong, checkGrant(where, k.Role, k.Agent, k.ContactCenters))
		s.keys = append(s.keys, added)
	}
	return wrong
}

func (a *Auth) addUsers(s *state, users []config.User) error {
	var wrong error
	for n, u := range users {
		where := fmt.Sprintf("gateway.auth.users[%d]", n)
		if u.Role == interaction.RoleAgent && u.Agent == "" {
			u.Agent = u.Name
		}
		if s.users[u.Name] != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: this name is there already", where))
		}
		wrong = errors.Join(wrong, a.checkPassword(where, u), checkGrant(where, u.Role, u.Agent, u.ContactCenters))
		s.users[u.Name] = &user{config: u}
		if u.PasswordHash != "" {
			s.decoy = u.PasswordHash
		}
	}
	return wrong
}

func (a *Auth) checkPassword(where string, u config.User) error {
	switch {
	case (u.Password == "") == (u.PasswordHash == ""):
		return fmt.Errorf("%s: set either password or password_hash", where)
	case u.Password != "":
		if _, err := a.options.Resolve(u.Password); err != nil {
			return fmt.Errorf("%s: password: %w", where, err)
		}
	default:
		if _, err := bcrypt.Cost([]byte(u.PasswordHash)); err != nil {
			return fmt.Errorf("%s: password_hash: not a bcrypt hash", where)
		}
	}
	return nil
}

// checkGrant checks what a credential grants.
func checkGrant(where string, role interaction.Role, agent string, centers []string) error {
	var wrong error
	if !slices.Contains(rolesByRank, role) {
		wrong = fmt.Errorf("%s: role: %q is none of %v", where, role, rolesByRank)
	}
	if role == interaction.RoleAgent && !isID(agent) {
		wrong = errors.Join(wrong, fmt.Errorf("%s: agent: %q is not an agent id", where, agent))
	}
	if len(centers) == 0 {
		wrong = errors.Join(wrong, fmt.Errorf("%s: contact_centers: name at least one, or %q for all", where, everywhere))
	}
	return errors.Join(wrong, checkCenters(where, centers))
}

func checkCenters(where string, centers []string) error {
	for _, center := range centers {
		if center != everywhere && !isID(center) {
			return fmt.Errorf("%s: contact_centers: %q is not a contact center id", where, center)
		}
	}
	return nil
}

// addIssuers keeps the issuers whose configuration is unchanged, with the keys that they have.
func (a *Auth) addIssuers(s *state, issuers []config.Issuer, before *state) error {
	var wrong error
	for n, c := range issuers {
		c = issuerDefaults(c)
		if kept := before.issuerLike(c); kept != nil {
			s.issuers = append(s.issuers, kept)
			continue
		}
		where := fmt.Sprintf("gateway.auth.jwt[%d]", n)
		added, err := a.newIssuer(where, c)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		s.issuers = append(s.issuers, added)
	}
	return wrong
}

func (s *state) issuerLike(c config.Issuer) *issuer {
	if s == nil {
		return nil
	}
	for _, i := range s.issuers {
		if reflect.DeepEqual(i.config, c) {
			return i
		}
	}
	return nil
}

func (s *state) endIssuersBut(next *state) {
	for _, i := range s.issuers {
		if !slices.Contains(next.issuers, i) {
			i.end()
		}
	}
}

// centersOf splits a configured list into names, and whether it is all of them.
func centersOf(list []string) (names []string, all bool) {
	if slices.Contains(list, everywhere) {
		return nil, true
	}
	return slices.Clone(list), false
}

func publicOrigin(text string) (origin string, secure bool, err error) {
	if text == "" {
		return "", false, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false, errors.New("gateway.public_url: not an http or https URL")
	}
	return normal(u), u.Scheme == "https", nil
}

// isLoopbackName reports whether a host, without port, can only be this machine.
func isLoopbackName(host string) bool {
	if equalFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Zone() == "" && addr.IsLoopback()
}
