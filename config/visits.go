package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// fileVisits is gateway.engagement.
type fileVisits struct {
	Trusted    []fileTrusted `yaml:"trusted"`
	Origins    []string      `yaml:"origins"`
	OpenVisits bool          `yaml:"open_visits"`
}

type fileTrusted struct {
	Network       string `yaml:"network" scalar:"true"`
	ContactCenter string `yaml:"contact_center" scalar:"true"`
}

var oneCenterPattern = regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,128}$`)

// visits checks gateway.engagement.
func (l *loader) visits(f fileVisits) Visits {
	const path = "gateway.engagement"
	v := Visits{Open: f.OpenVisits}
	l.bounded(path+".trusted", len(f.Trusted), maxList)
	for i, t := range f.Trusted {
		at := fmt.Sprintf("%s.trusted[%d]", path, i)
		v.Trusted = append(v.Trusted, Trusted{Network: l.network(at+".network", t.Network), ContactCenter: t.ContactCenter})
		switch {
		case t.ContactCenter == "":
			l.decoder.fail(at+".contact_center", "", "the contact center is missing", "write contact_center: NAME")
		case !oneCenterPattern.MatchString(t.ContactCenter):
			l.decoder.fail(at+".contact_center", t.ContactCenter, quoted(t.ContactCenter)+" is not a contact center",
				"use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -")
		}
	}
	l.bounded(path+".origins", len(f.Origins), maxList)
	for i, origin := range f.Origins {
		l.origin(fmt.Sprintf("%s.origins[%d]", path, i), origin)
		v.Origins = append(v.Origins, strings.ToLower(origin))
	}
	return v
}

// network reads an address or a range. A range of all addresses would let everybody in.
func (l *loader) network(at, text string) netip.Prefix {
	const remedy = "write an address, or a range such as 10.1.0.0/16"
	network, err := netip.ParsePrefix(text)
	if address, wrong := netip.ParseAddr(text); wrong == nil && address.Zone() == "" {
		network, err = netip.PrefixFrom(address, address.BitLen()), nil
	}
	switch {
	case text == "":
		l.decoder.fail(at, "", "the network is missing", remedy)
	case err != nil:
		l.decoder.fail(at, text, quoted(text)+" is not a network", remedy)
	case network.Bits() == 0:
		l.decoder.fail(at, text, quoted(text)+" is every address: anybody could engage visitors", remedy)
	case network.Addr().Is4In6():
		l.decoder.fail(at, text, quoted(text)+" is an IPv4 network in IPv6 form", "write it in IPv4 form, such as 10.1.0.0/16")
	}
	return network.Masked()
}
