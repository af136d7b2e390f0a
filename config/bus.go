package config

import (
	"net"
	"net/url"
	"strings"
)

// fileBus is the bus block.
type fileBus struct {
	URL       setting    `yaml:"url"`
	Listen    setting    `yaml:"listen"`
	MaxBytes  setting    `yaml:"max_bytes"`
	User      setting    `yaml:"user"`
	Password  setting    `yaml:"password"`
	Token     setting    `yaml:"token"`
	Cleartext setting    `yaml:"cleartext"`
	TLS       fileBusTLS `yaml:"tls"`
}

type fileBusTLS struct {
	CA          setting `yaml:"ca"`
	Certificate setting `yaml:"certificate"`
	Key         setting `yaml:"key"`
}

// fileBoard is the board block.
type fileBoard struct {
	Window       setting `yaml:"window"`
	ServiceLevel setting `yaml:"service_level"`
}

// checkBusURL checks a list of NATS servers.
var checkBusURL = form{
	mistake: func(s string) (string, string) {
		for _, u := range busServers(s) {
			switch {
			case u == nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
				return quoted(s) + " is not a list of NATS servers", "write nats://host:4222 or tls://host:4222, several with commas"
			case u.User != nil:
				return "a URL cannot contain a user and a password", "set bus.user and bus.password, or bus.token"
			}
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": `^\s*([nN][aA][tT][sS]|[tT][lL][sS])://[^/?#]+`},
}

// busServers parses a list of servers. The URL of one that cannot be read is nil.
func busServers(s string) []*url.URL {
	var list []*url.URL
	for text := range strings.SplitSeq(s, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil {
			u = nil
		}
		list = append(list, u)
	}
	return list
}

// checkPublicURL checks the URL at which clients reach the gateway.
var checkPublicURL = form{
	mistake: func(s string) (string, string) {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "?#") {
			return quoted(s) + " is not the URL of a gateway", "write https://host, without a user, a query or a fragment"
		}
		return "", ""
	},
	schema: object{"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^?#]+$"},
}

// bus checks the bus block: notices contain what interactions contain, so they cross a network
// encrypted, and only those who may read them do.
func (l *loader) bus(s *Set) {
	b := &s.Bus
	if b.Token != "" && b.User != "" {
		l.failSetting("bus.token", "", "bus.user is given too", "keep the token, or the user and its password")
	}
	if b.URL != "" {
		l.busURL(b)
		return
	}
	host := hostOf(b.Listen)
	if host == nil || isThisMachine(*host) {
		return
	}
	problem := "the bus would be open to the network at " + quoted(b.Listen)
	if b.User == "" {
		l.failSetting("bus.listen", b.Listen, problem+" without a user", "set bus.user and bus.password, or listen on "+BusAddress)
	} else if b.Certificate == "" {
		l.failSetting("bus.listen", b.Listen, problem+" without TLS", "set bus.tls.certificate and bus.tls.key, or listen on "+BusAddress)
	}
}

func (l *loader) busURL(b *Bus) {
	if b.Cleartext || b.CA != "" || b.Certificate != "" {
		return
	}
	for _, u := range busServers(b.URL) {
		if u != nil && u.Scheme == "nats" && !isThisMachine(u.Hostname()) {
			l.failSetting("bus.url", b.URL, "the connection to "+quoted(u.Host)+" would be in plain text",
				"write tls://…, or set bus.cleartext to true in a network that you trust")
			return
		}
	}
}

// hostOf returns the host of host:port; nil if it is no address.
func hostOf(address string) *string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	return &host
}
