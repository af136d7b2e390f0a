package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"segue/delivery"
	"segue/expr"
	"segue/interaction"
)

// fileGateway is the gateway block.
type fileGateway struct {
	Address     setting              `yaml:"address"`
	PublicURL   setting              `yaml:"public_url"`
	TLS         fileGatewayTLS       `yaml:"tls"`
	Auth        fileAccess           `yaml:"auth"`
	SessionKeys []delivery.SecretRef `yaml:"session_keys"`
	CORS        []string             `yaml:"cors"`
	GWS         fileGWS              `yaml:"gws"`
	Engagement  fileVisits           `yaml:"engagement"`
}

type fileGatewayTLS struct {
	Certificate setting `yaml:"certificate"`
	Key         setting `yaml:"key"`
}

// fileAccess is gateway.auth.
type fileAccess struct {
	APIKeys []fileKey    `yaml:"api_keys"`
	JWT     []fileIssuer `yaml:"jwt"`
	Users   []fileUser   `yaml:"users"`
}

type fileKey struct {
	Name           string           `yaml:"name"`
	SHA256         string           `yaml:"sha256" scalar:"true"`
	Role           interaction.Role `yaml:"role"`
	Agent          string           `yaml:"agent" scalar:"true"`
	ContactCenters []string         `yaml:"contact_centers"`
	Rate           float64          `yaml:"rate"`
	Expires        *instant         `yaml:"expires"`
}

type fileIssuer struct {
	Name           string             `yaml:"name"`
	Issuer         string             `yaml:"issuer"`
	Audience       string             `yaml:"audience"`
	Algorithms     []string           `yaml:"algorithms"`
	Claims         fileClaims         `yaml:"claims"`
	ContactCenters []string           `yaml:"contact_centers"`
	CA             delivery.SecretRef `yaml:"ca"`
}

type fileClaims struct {
	ContactCenters string `yaml:"contact_centers"`
	Role           string `yaml:"role"`
	Agent          string `yaml:"agent"`
}

type fileUser struct {
	Name           string             `yaml:"name"`
	Password       delivery.SecretRef `yaml:"password"`
	PasswordHash   string             `yaml:"password_hash"`
	Role           interaction.Role   `yaml:"role"`
	Agent          string             `yaml:"agent" scalar:"true"`
	ContactCenters []string           `yaml:"contact_centers"`
}

func (i *fileIssuer) setDefaults() {
	i.Claims = fileClaims{ContactCenters: "contact_centers", Role: "role", Agent: "sub"}
}

// Bounds of the lists of credentials.
const (
	maxCredentials = 1000
	maxIssuers     = 20
)

// Algorithms are the signature algorithms of JSON Web Tokens that an issuer may use. Those with a
// shared secret are not among them: whoever can check such a token can make one.
var Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var roles = []interaction.Role{interaction.RolePlatform, interaction.RoleAdmin, interaction.RoleSupervisor, interaction.RoleAgent}

var (
	digestPattern = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
	bcryptPattern = regexp.MustCompile(`^\$2[aby]\$1[0-5]\$[./A-Za-z0-9]{53}$`)
	userPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$`) // no colon, which ends the name in HTTP basic
	centerPattern = regexp.MustCompile(`^(\*|[A-Za-z0-9._~:@-]{1,128})$`)
	originPattern = regexp.MustCompile(`^(https?://[A-Za-z0-9.\[\]:-]+|https://\*\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]+)?)$`)
)

// gateway checks the gateway block. fill has copied its settings.
func (l *loader) gateway(s *Set) {
	f := &l.file.Gateway
	s.Gateway.Auth = Auth{APIKeys: l.apiKeys(f.Auth.APIKeys), JWT: l.issuers(f.Auth.JWT), Users: l.users(f.Auth.Users)}
	l.bounded("gateway.session_keys", len(f.SessionKeys), maxSecrets)
	for i, key := range f.SessionKeys {
		s.Gateway.SessionKeys = append(s.Gateway.SessionKeys, l.gatewaySecret(fmt.Sprintf("gateway.session_keys[%d]", i), key))
	}
	l.bounded("gateway.cors", len(f.CORS), maxList)
	for i, origin := range f.CORS {
		l.origin(fmt.Sprintf("gateway.cors[%d]", i), origin)
		s.Gateway.CORS = append(s.Gateway.CORS, strings.ToLower(origin))
	}
	s.Gateway.GWS.Workbins = l.workbins(f.GWS.Workbins)
	s.Gateway.Engagement = l.visits(f.Engagement)
	if host := hostOf(s.Gateway.Address); host != nil && !isThisMachine(*host) && !s.Gateway.Auth.Configured() && !l.hasUnread("gateway.auth") {
		l.failSetting("gateway.address", s.Gateway.Address,
			"gateway.address "+quoted(s.Gateway.Address)+" is beyond loopback, and gateway.auth has no credential: anybody could use the gateway",
			"add a credential to gateway.auth, or listen on "+GatewayAddress)
	}
}

// hasUnread reports whether something below a path could not be read.
func (l *loader) hasUnread(path string) bool {
	for p := range l.decoder.unread {
		if p == path || strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return l.decoder.unread[parent(path)]
}

func (l *loader) apiKeys(list []fileKey) []APIKey {
	const path = "gateway.auth.api_keys"
	l.bounded(path, len(list), maxCredentials)
	names, digests := map[string]int{}, map[string]int{}
	var keys []APIKey
	for i, f := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		l.credential(at, f.Name, names, namePattern)
		l.role(at, f.Role, f.Agent)
		l.centers(at, f.ContactCenters, true)
		l.within(at+".rate", f.Rate, rateNumbers)
		digest := strings.ToLower(f.SHA256)
		if first, twice := digests[digest]; !digestPattern.MatchString(digest) {
			l.decoder.fail(at+".sha256", "", "this is not a SHA-256 digest", `write the 64 hex digits of: printf %s "$KEY" | sha256sum`)
		} else if twice {
			l.decoder.fail(at+".sha256", "", fmt.Sprintf("another key has this digest, in line %d", first), "keep one, or make another key")
		} else {
			digests[digest] = l.decoder.line(at + ".sha256")
		}
		key := APIKey{Name: f.Name, SHA256: digest, Role: f.Role, Agent: f.Agent, ContactCenters: f.ContactCenters, Rate: f.Rate}
		if f.Expires != nil {
			key.Expires = time.Time(*f.Expires)
		}
		keys = append(keys, key)
	}
	return keys
}

func (l *loader) issuers(list []fileIssuer) []Issuer {
	const path = "gateway.auth.jwt"
	l.bounded(path, len(list), maxIssuers)
	names, urls := map[string]int{}, map[string]int{}
	var issuers []Issuer
	for i, f := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		l.credential(at, f.Name, names, namePattern)
		l.issuerURL(at, f.Issuer, urls)
		if f.Audience == "" {
			l.decoder.fail(at+".audience", "", "the audience is missing: tokens for any other service would be accepted", "write audience: …")
		}
		l.algorithms(at, f.Algorithms)
		l.centers(at, f.ContactCenters, false)
		l.claims(at+".claims", f.Claims)
		issuer := Issuer{Name: f.Name, URL: f.Issuer, Audience: f.Audience, Algorithms: f.Algorithms, ContactCentersClaim: f.Claims.ContactCenters,
			RoleClaim: f.Claims.Role, AgentClaim: f.Claims.Agent, ContactCenters: f.ContactCenters}
		if len(issuer.Algorithms) == 0 {
			issuer.Algorithms = []string{"RS256"}
		}
		if f.CA != "" {
			issuer.CA = l.gatewaySecret(at+".ca", f.CA)
		}
		issuers = append(issuers, issuer)
	}
	return issuers
}

// issuerURL checks the URL of an issuer. Keys that come in plain text could be anybody's.
func (l *loader) issuerURL(at, text string, seen map[string]int) {
	at += ".issuer"
	u, err := url.Parse(text)
	first, twice := seen[text]
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.decoder.fail(at, "", "this is not the URL of an issuer", "write https://host/path")
	case u.Scheme == "http" && !isThisMachine(u.Hostname()):
		l.decoder.fail(at, "", "the issuer's keys would cross the network in plain text", "write https://…")
	case twice:
		l.decoder.fail(at, "", fmt.Sprintf("this issuer is given twice, first in line %d", first), "keep one")
	default:
		seen[text] = l.decoder.line(at)
	}
}

func (l *loader) algorithms(at string, list []string) {
	for i, name := range list {
		if slices.Contains(Algorithms, name) {
			continue
		}
		problem, remedy := quoted(name)+" is not a signature algorithm", expr.Suggest(name, Algorithms)
		if upper := strings.ToUpper(name); upper == "NONE" || strings.HasPrefix(upper, "HS") {
			problem, remedy = quoted(name)+" proves nothing: anybody, or any service that checks tokens, could make one", "use RS256, PS256, ES256 or EdDSA"
		}
		l.decoder.fail(fmt.Sprintf("%s.algorithms[%d]", at, i), name, problem, remedy)
	}
}

// claims checks that each claim is named: an issuer without a role claim would give no role.
func (l *loader) claims(at string, c fileClaims) {
	for _, claim := range []struct{ key, value, usual string }{
		{"contact_centers", c.ContactCenters, "contact_centers"}, {"role", c.Role, "role"}, {"agent", c.Agent, "sub"},
	} {
		if claim.value == "" {
			l.decoder.fail(at+"."+claim.key, "", "the claim has no name", "write "+claim.key+": "+claim.usual+", or remove the key")
		}
	}
}

func (l *loader) users(list []fileUser) []User {
	const path = "gateway.auth.users"
	l.bounded(path, len(list), maxCredentials)
	names := map[string]int{}
	var users []User
	for i, f := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		l.credential(at, f.Name, names, userPattern)
		l.role(at, f.Role, f.Agent)
		l.centers(at, f.ContactCenters, true)
		switch {
		case f.Password == "" && f.PasswordHash == "":
			l.decoder.fail(at+".password", "", "the user has no password", "write password: env:NAME, password: file:PATH, or password_hash: a bcrypt hash")
		case f.Password != "" && f.PasswordHash != "":
			l.decoder.fail(at+".password_hash", "", "password and password_hash are both given", "keep one")
		case f.Password != "":
			l.gatewaySecret(at+".password", f.Password)
		case !bcryptPattern.MatchString(f.PasswordHash):
			l.decoder.fail(at+".password_hash", "", "this is not a bcrypt hash with a cost of 10 to 15", "write the hash of: htpasswd -nBC 12 NAME")
		}
		users = append(users, User(f))
	}
	return users
}

// credential checks the name of a credential.
func (l *loader) credential(at, name string, seen map[string]int, pattern *regexp.Regexp) {
	l.named(at, name, seen)
	if name != "" && !pattern.MatchString(name) {
		l.decoder.fail(at+".name", name, quoted(name)+" is not a name", "use letters, digits and . _ - (a user's name may also have @ and +)")
	}
}

func (l *loader) role(at string, role interaction.Role, agent string) {
	switch {
	case role == "":
		l.decoder.fail(at+".role", "", "the role is missing", "write role: platform, admin, supervisor or agent")
	case !slices.Contains(roles, role):
		l.decoder.fail(at+".role", string(role), quoted(string(role))+" is not a role", "use platform, admin, supervisor or agent")
	case role == interaction.RoleAgent && agent == "":
		l.decoder.fail(at+".agent", "", "the role agent needs an agent", "write agent: the agent's id")
	case role != interaction.RoleAgent && agent != "":
		l.decoder.fail(at+".agent", agent, "only the role agent has an agent", "remove it, or write role: agent")
	}
}

// centers checks the contact centers of a credential.
func (l *loader) centers(at string, list []string, need bool) {
	at += ".contact_centers"
	l.bounded(at, len(list), maxList)
	if need && len(list) == 0 {
		l.decoder.fail(at, "", "the contact centers are missing", `write contact_centers: [NAME], or ["*"] for all`)
	}
	for i, name := range list {
		if !centerPattern.MatchString(name) {
			l.decoder.fail(fmt.Sprintf("%s[%d]", at, i), name, quoted(name)+" is not a contact center", `use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -, or "*" for all`)
		}
	}
}

// origin checks an origin of other sites' pages.
func (l *loader) origin(at, origin string) {
	const remedy = "write https://app.example.com, or https://*.example.com for all hosts below"
	if origin == "*" {
		l.decoder.fail(at, origin, "every site could use the gateway in the name of whoever visits it", remedy)
		return
	}
	u, err := url.Parse(strings.Replace(origin, "://*.", "://any.", 1))
	if err != nil || !originPattern.MatchString(origin) || u.Hostname() == "" {
		l.decoder.fail(at, origin, quoted(origin)+" is not an origin", remedy)
	}
}

// gatewaySecret is secret for one that only the gateway reads.
func (l *loader) gatewaySecret(path string, s delivery.SecretRef) delivery.SecretRef {
	l.secret(path, s)
	l.secrets[len(l.secrets)-1].gateway = true
	return s
}

// accessOf hashes what a reload changes in a running gateway besides its settings.
func accessOf(g Gateway) string {
	encoded, err := json.Marshal([]any{g.Auth, g.SessionKeys, g.CORS, g.GWS.Workbins, g.Engagement})
	if err != nil {
		panic("config: " + err.Error()) // plain data always encodes
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
