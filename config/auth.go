package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"segue/delivery"
	"segue/request"
)

// auth checks how a call authenticates.
func (l *loader) auth(at string, c *fileCall) delivery.Auth {
	var auth delivery.Auth
	a := &c.Auth
	var kinds []string
	if a.Basic != nil {
		kinds = append(kinds, "basic")
		auth.Basic = &delivery.BasicAuth{Username: l.secret(at+".basic.username", a.Basic.Username),
			Password: l.secret(at+".basic.password", a.Basic.Password)}
	}
	if a.Bearer != nil {
		kinds = append(kinds, "bearer")
		auth.Bearer = l.secret(at+".bearer", a.Bearer.Token)
	}
	if a.APIKey != nil {
		kinds = append(kinds, "api_key")
		auth.APIKey = &delivery.APIKeyAuth{In: a.APIKey.In, Name: a.APIKey.Name, Key: l.secret(at+".api_key.key", a.APIKey.Key)}
		if a.APIKey.In == "" {
			auth.APIKey.In = "header"
		} else if a.APIKey.In != "header" && a.APIKey.In != "query" {
			l.decoder.fail(at+".api_key.in", a.APIKey.In, "an API key cannot be sent there", "write header or query")
		}
		l.keyName(at+".api_key.name", auth.APIKey, c)
	}
	if a.OAuth2 != nil {
		kinds = append(kinds, "oauth2")
		auth.OAuth2 = l.oauth2(at+".oauth2", a.OAuth2)
	}
	if a.MTLS != nil {
		kinds = append(kinds, "mtls")
		auth.MTLS = &delivery.MTLSAuth{Certificate: l.secret(at+".mtls.certificate", a.MTLS.Certificate), Key: l.secret(at+".mtls.key", a.MTLS.Key)}
	}
	if len(kinds) > 1 {
		l.decoder.fail(at+"."+kinds[1], "", "a call authenticates in one way, and "+kinds[0]+" is given too", "keep one")
	}
	return auth
}

// keyName checks that no other header or parameter of the request has the name of a key.
func (l *loader) keyName(at string, key *delivery.APIKeyAuth, c *fileCall) {
	others := c.Headers
	switch problem, remedy := delivery.KeyHeader(key.Name); {
	case key.Name == "":
		l.decoder.fail(at, "", "the key has no name", "write the name of the header or query parameter")
		return
	case key.In == "query":
		others = c.Query
	case problem != "":
		l.decoder.fail(at, key.Name, problem, remedy)
		return
	}
	if slices.ContainsFunc(others, func(p request.Pair) bool { return strings.EqualFold(p.Name, key.Name) }) {
		l.decoder.fail(at, key.Name, "the call has another header or query parameter of this name", "keep one")
	}
}

// oauth2 checks the token request of a call.
func (l *loader) oauth2(at string, o *fileOAuth2) *delivery.OAuth2Auth {
	auth := &delivery.OAuth2Auth{TokenURL: o.TokenURL, Scopes: o.Scopes, TLS: l.trust(at+".tls", o.TLS),
		ClientID: l.secret(at+".client_id", o.ClientID), ClientSecret: l.secret(at+".client_secret", o.ClientSecret)}
	if u, err := url.Parse(o.TokenURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		l.decoder.fail(at+".token_url", "", "this is not an http or https URL", "write https://host/path")
	}
	if strings.HasPrefix(strings.ToLower(o.TokenURL), "http:") && auth.TLS != (delivery.TLS{}) {
		l.decoder.fail(at+".tls", "", "the token URL is not https", "write https://… as token_url, or remove tls")
	}
	l.bounded(at+".params", len(o.Params), maxParams)
	own := map[string]string{"": "", "grant_type": "", "scope": "use scopes", "client_id": "use client_id", "client_secret": "use client_secret"}
	for i, p := range o.Params {
		if remedy, taken := own[p.Name]; taken {
			l.decoder.fail(fmt.Sprintf("%s.params[%d].name", at, i), p.Name, "Segue sets the parameter of this name",
				cmp.Or(remedy, "remove it; params are what the token URL needs besides, such as audience"))
		}
		auth.Params = append(auth.Params, delivery.Param(p))
	}
	return auth
}

// tls checks how a receiver is verified, and that the call uses TLS at all: a client
// certificate over plain HTTP would protect nothing.
func (l *loader) tls(at string, c *fileCall) delivery.TLS {
	t := l.trust(at+".tls", c.TLS)
	if strings.HasPrefix(strings.ToLower(c.URL), "http:") {
		if c.Auth.MTLS != nil {
			l.decoder.fail(at+".auth.mtls", "", "the call's URL is not https", "write https://… as its url, or remove mtls")
		}
		if t != (delivery.TLS{}) {
			l.decoder.fail(at+".tls", "", "the call's URL is not https", "write https://… as its url, or remove tls")
		}
	}
	return t
}

// cleartext checks that credentials cross a network in plain text only if the call allows
// it. A signature is no credential: it is good for one request only.
func (l *loader) cleartext(at string, c *fileCall) {
	hasCredential := c.Auth.Basic != nil || c.Auth.Bearer != nil || c.Auth.APIKey != nil || c.Auth.OAuth2 != nil
	const remedy = "write https://, or set cleartext: true on the call in a network that you trust"
	switch {
	case c.Cleartext:
	case hasCredential && isCleartext(c.URL):
		l.decoder.fail(at+".url", "", "the call's credentials would cross the network in plain text", remedy)
	case c.Auth.OAuth2 != nil && isCleartext(c.Auth.OAuth2.TokenURL):
		l.decoder.fail(at+".auth.oauth2.token_url", "", "the client's secret would cross the network in plain text", remedy)
	}
}

// isCleartext reports whether a URL reaches another machine without TLS.
func isCleartext(text string) bool {
	u, err := url.Parse(delivery.OriginOf(text))
	return err == nil && u.Scheme == "http" && !isThisMachine(u.Hostname())
}

// isThisMachine reports whether a host is written as a loopback address or localhost.
func isThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// trust checks how a server is verified.
func (l *loader) trust(at string, f fileCallTLS) delivery.TLS {
	t := delivery.TLS{ServerName: f.ServerName}
	if f.CA != "" {
		t.CA = l.secret(at+".ca", f.CA)
	}
	if t.ServerName != "" && !hostPattern.MatchString(t.ServerName) {
		l.decoder.fail(at+".server_name", t.ServerName, "this is not a host name", "write the name in the server's certificate")
	}
	return t
}

// sign checks the secrets of the Standard Webhooks signature, next to auth or in it.
func (l *loader) sign(at string, c *fileCall) []delivery.SecretRef {
	sign, path := c.Sign, at+".sign"
	if c.Auth.Sign != nil {
		if sign != nil {
			l.decoder.fail(at+".auth.sign", "", "sign is given next to auth too", "keep one")
		}
		sign, path = c.Auth.Sign, at+".auth.sign"
	}
	if sign == nil {
		return nil
	}
	if n := len(sign.Secrets); n == 0 || n > maxSecrets {
		l.decoder.fail(path+".secrets", "", fmt.Sprintf("a signature has one to five secrets, not %d", n), "write secrets: [env:NAME], the newest first")
	}
	for i, s := range sign.Secrets {
		l.secret(fmt.Sprintf("%s.secrets[%d]", path, i), s)
		l.secrets[len(l.secrets)-1].signs = true
	}
	return sign.Secrets
}

// secret checks a reference. No error contains what is written in its place.
func (l *loader) secret(path string, s delivery.SecretRef) delivery.SecretRef {
	if problem, remedy := checkSecret.mistake(string(s)); problem != "" {
		l.decoder.fail(path, "", problem, remedy)
	}
	l.secrets = append(l.secrets, secretPlace{path: path, line: l.decoder.line(path), ref: s})
	return s
}
