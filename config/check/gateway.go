package check

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"segue/config"
	"segue/interaction"
)

// GatewayReport is what a Report shows of the gateway and of its bus.
type GatewayReport struct {
	// Address is where it listens, PublicURL where clients reach it.
	Address   string `json:"address"`
	PublicURL string `json:"public_url,omitempty"`
	TLS       bool   `json:"tls,omitempty"`
	// Credentials describes each of them, without a secret; there are none on loopback only.
	Credentials []string `json:"credentials,omitempty"`
	CORS        []string `json:"cors,omitempty"`
	// CSRF is true if requests with a session cookie alone need a token on /api/v2.
	CSRF bool `json:"csrf,omitempty"`
	// Workbins are those that are listed even while they are empty.
	Workbins []string `json:"workbins,omitempty"`
	// Trusted are the networks that need no credential for engage and noengage, VisitorOrigins those of
	// visitors' pages, and OpenVisits whether these need no token.
	Trusted        []string `json:"trusted,omitempty"`
	VisitorOrigins []string `json:"visitor_origins,omitempty"`
	OpenVisits     bool     `json:"open_visits,omitempty"`
	// Bus is where notices come from; empty is from nowhere.
	Bus string `json:"bus,omitempty"`
}

func gatewayOf(s *config.Set) GatewayReport {
	g := s.Gateway
	report := GatewayReport{Address: g.Address, PublicURL: g.PublicURL, TLS: g.TLS.Certificate != "", CORS: g.CORS, Bus: s.Bus.URL}
	if report.Bus == "" && s.Bus.Listen != "" {
		report.Bus = "embedded on " + s.Bus.Listen
	}
	report.CSRF = g.GWS.CSRF
	for _, w := range g.GWS.Workbins {
		report.Workbins = append(report.Workbins, w.ID)
	}
	for _, t := range g.Engagement.Trusted {
		report.Trusted = append(report.Trusted, t.Network.String()+" of "+t.ContactCenter)
	}
	report.VisitorOrigins, report.OpenVisits = g.Engagement.Origins, g.Engagement.Open
	for _, k := range g.Auth.APIKeys {
		about := described("API key "+k.Name, k.Role, k.Agent, k.ContactCenters)
		if !k.Expires.IsZero() {
			about += ", until " + k.Expires.Format(time.RFC3339)
		}
		report.Credentials = append(report.Credentials, about)
	}
	for _, i := range g.Auth.JWT {
		about := fmt.Sprintf("tokens of %s for audience %s, signed with %s; claims %s, %s, %s", i.URL, i.Audience, strings.Join(i.Algorithms, ", "),
			i.ContactCentersClaim, i.RoleClaim, i.AgentClaim)
		report.Credentials = append(report.Credentials, about)
	}
	for _, u := range g.Auth.Users {
		report.Credentials = append(report.Credentials, described("user "+u.Name, u.Role, u.Agent, u.ContactCenters))
	}
	return report
}

func described(what string, role interaction.Role, agent string, centers []string) string {
	text := what + ": " + string(role)
	if agent != "" {
		text += " " + agent
	}
	return text + " of " + strings.ReplaceAll(strings.Join(centers, ", "), "*", "all contact centers")
}

// checkGateway warns of credentials that are of no use, or that others could read.
func (r *Report) checkGateway(s *config.Set) {
	g := s.Gateway
	for i, k := range g.Auth.APIKeys {
		if !k.Expires.IsZero() && k.Expires.Before(time.Now()) {
			r.warn("gateway.auth.api_keys[%d] (%s) has expired", i, k.Name)
		}
	}
	if g.TLS.Certificate == "" && !strings.HasPrefix(g.PublicURL, "https://") && !isLoopback(g.Address) {
		r.warn("gateway.address %s: credentials cross the network in plain text; set gateway.tls, or, behind a proxy with TLS, gateway.public_url to https://…", g.Address)
	}
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

func (p *printer) gateway(g GatewayReport) {
	scheme := "http://"
	if g.TLS {
		scheme = "https://"
	}
	line := "gateway: " + scheme + g.Address
	if g.PublicURL != "" {
		line += ", reached at " + g.PublicURL
	}
	if len(g.Credentials) == 0 {
		line += ", without credentials: loopback only"
	}
	p.line("%s", line)
	for _, about := range g.Credentials {
		p.line("  %s", about)
	}
	if len(g.CORS) > 0 {
		p.line("  pages of %s", strings.Join(g.CORS, ", "))
	}
	if g.CSRF {
		p.line("  /api/v2 requires X-CSRF-TOKEN of session cookies")
	}
	if len(g.Workbins) > 0 {
		p.line("  workbins %s", strings.Join(g.Workbins, ", "))
	}
	if len(g.Trusted) > 0 {
		p.line("  engage and noengage without a credential from %s", strings.Join(g.Trusted, ", "))
	}
	if len(g.VisitorOrigins) > 0 {
		p.line("  visitors' pages of %s", strings.Join(g.VisitorOrigins, ", "))
	}
	if g.OpenVisits {
		p.line("  visitors' pages need no token")
	}
	if g.Bus != "" {
		p.line("bus: %s", g.Bus)
	}
}
