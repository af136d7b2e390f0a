package check

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"segue/config"
	"segue/contract"
	"segue/delivery"
)

// authOf describes how a call authenticates, with the references of its secrets.
func authOf(c *config.Call) string {
	switch a := c.Policy.Auth; {
	case a.Basic != nil:
		return fmt.Sprintf("basic (%s, %s)", a.Basic.Username, a.Basic.Password)
	case a.Bearer != "":
		return fmt.Sprintf("bearer (%s)", a.Bearer)
	case a.APIKey != nil:
		return fmt.Sprintf("api_key in %s %s (%s)", a.APIKey.In, a.APIKey.Name, a.APIKey.Key)
	case a.OAuth2 != nil:
		return oauth2Of(a.OAuth2)
	case a.MTLS != nil:
		return fmt.Sprintf("mtls (%s, %s)", a.MTLS.Certificate, a.MTLS.Key)
	}
	return ""
}

func oauth2Of(a *delivery.OAuth2Auth) string {
	address, _ := contract.MaskedURL(a.TokenURL)
	text := fmt.Sprintf("oauth2 (%s, %s) at %s", a.ClientID, a.ClientSecret, address)
	if len(a.Scopes) > 0 {
		text += ", scopes " + strings.Join(a.Scopes, " ")
	}
	for _, p := range a.Params {
		value := p.Value
		if contract.IsCredential(p.Name) {
			value = "***"
		}
		text += fmt.Sprintf(", %s=%s", p.Name, value)
	}
	if tls := tlsOf(a.TLS); tls != "" {
		text += ", tls: " + tls
	}
	return text
}

// tlsOf describes what a server must show if it differs from the system's default.
func tlsOf(t delivery.TLS) string {
	var parts []string
	if t.CA != "" {
		parts = append(parts, "ca "+string(t.CA))
	}
	if t.ServerName != "" {
		parts = append(parts, "server name "+t.ServerName)
	}
	return strings.Join(parts, ", ")
}

func proxyOf(p delivery.Proxy) string {
	if p.Username == "" {
		return p.URL
	}
	return fmt.Sprintf("%s (%s, %s)", p.URL, p.Username, p.Password)
}

// refused returns why the guard will block a URL whose host is an address. Host names are
// resolved where the worker runs, so that nothing can be said about them here.
func refused(g config.Guard, text string) string {
	u, err := url.Parse(text)
	guard, bad := delivery.NewGuard(g.Allow)
	if err != nil || bad != nil {
		return ""
	}
	host := u.Hostname()
	address := host
	if strings.EqualFold(host, "localhost") {
		address = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if err := guard.Check(host, netip.AddrPortFrom(addr, portOf(u))); err != nil {
		return err.Error()
	}
	return ""
}

func portOf(u *url.URL) uint16 {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(port)
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
