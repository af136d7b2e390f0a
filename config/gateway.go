package config

import (
	"net/netip"
	"time"

	"segue/delivery"
	"segue/interaction"
)

// Gateway configures `segue serve` and the gateway inside `segue dev`.
type Gateway struct {
	// Address is the host:port to listen on.
	Address string
	// PublicURL is the base URL at which clients reach the gateway; empty: scheme and Host of the request.
	PublicURL string
	// TLS serves HTTPS; both references are empty or none is.
	TLS GatewayTLS
	// Auth is who may send requests. Without any of its lists the gateway listens on loopback only.
	Auth Auth
	// SessionKeys seal cookies, the newest first; replicas share them. Without any, a process makes one
	// at its start.
	SessionKeys []delivery.SecretRef
	// CORS lists the origins of other sites' pages that may use the API: https://app.example.com,
	// https://*.example.com.
	CORS []string
	// GWS configures /api/v2.
	GWS GWS
	// Engagement configures the Engagement API and the paths of visitors.
	Engagement Visits
}

// Visits configures the Engagement API of Genesys Web Engagement, and what visitors' pages use.
type Visits struct {
	// Trusted are the networks that may send engage and noengage without a credential.
	Trusted []Trusted
	// Origins are those of visitors' pages.
	Origins []string
	// Open lets visitors' pages do without a token.
	Open bool
}

// Trusted is a network whose requests are the platform's of one contact center.
type Trusted struct {
	Network       netip.Prefix
	ContactCenter string
}

// GWS configures the Interactions API of Genesys Web Services.
type GWS struct {
	// CSRF requires the session's X-CSRF-TOKEN of each request that a cookie alone authenticates.
	// Otherwise such a request may lack it, and only a wrong one is refused.
	CSRF bool
	// Workbins are listed even while they are empty.
	Workbins []Workbin
}

// Workbin is one workbin. Interactions are placed in it by its ID.
type Workbin struct{ ID, Name, DisplayName string }

// GatewayTLS refers to the server's certificate chain and key, in PEM.
type GatewayTLS struct{ Certificate, Key delivery.SecretRef }

// Auth lists the credentials that the gateway accepts.
type Auth struct {
	APIKeys []APIKey
	JWT     []Issuer
	Users   []User
}

// Configured reports whether there is any credential.
func (a Auth) Configured() bool { return len(a.APIKeys)+len(a.JWT)+len(a.Users) > 0 }

// APIKey is one API key, which the configuration has as a hash only.
type APIKey struct {
	Name string
	// SHA256 is the hex digest of the key: printf %s "$KEY" | sha256sum.
	SHA256 string
	Role   interaction.Role
	// Agent is the agent whom the key is for, if Role is agent.
	Agent string
	// ContactCenters are those that the key may use; "*" is all.
	ContactCenters []string
	// Rate is how many requests a second the key may send; 0 is 200.
	Rate float64
	// Expires is when the key ends; zero is never.
	Expires time.Time
}

// Issuer is one issuer of JSON Web Tokens, found by OIDC discovery.
type Issuer struct {
	Name string
	// URL is the issuer, below which /.well-known/openid-configuration is.
	URL      string
	Audience string
	// Algorithms are the accepted signature algorithms; default RS256. Never none or HS….
	Algorithms []string
	// The claims that give contact centers (a text or a list), role, and agent id; a path with dots
	// for nested claims. Defaults: contact_centers, role, sub.
	ContactCentersClaim, RoleClaim, AgentClaim string
	// ContactCenters limits what the claim may give, or gives it if the token has no such claim.
	ContactCenters []string
	// CA are authorities that the issuer's certificate is checked with, in PEM; empty is the system's.
	CA delivery.SecretRef
}

// User is a user with a name and a password, for Basic.
type User struct {
	Name string
	// Password is a reference; PasswordHash a bcrypt hash. One of them is set.
	Password       delivery.SecretRef
	PasswordHash   string
	Role           interaction.Role
	Agent          string
	ContactCenters []string
}

// Bus configures the bus for live notices.
type Bus struct {
	// URL is one or several NATS servers, separated by commas; empty for the embedded one.
	URL string
	// Listen is the host:port of the embedded server of `segue serve`, and where a worker without URL
	// finds it; empty turns the bus of this process off.
	Listen string
	// MaxBytes bounds the stream of notices.
	MaxBytes int64
	// User and Password, or Token, authenticate.
	User            string
	Password, Token delivery.SecretRef
	// Cleartext allows a connection to another machine without TLS.
	Cleartext bool
	// CA are the authorities to trust; Certificate and Key are those of the embedded server, or of a
	// client for mutual TLS. All are PEM.
	CA, Certificate, Key delivery.SecretRef
}

// Board configures the figures of queues.
type Board struct {
	// Window is the time that counts, ServiceLevel what counts as answered in time.
	Window, ServiceLevel time.Duration
}
