package egress

import (
	"encoding/binary"
	"net/netip"
)

// class says what kind of place an address is.
type class uint8

const (
	public   class = iota // anywhere on the Internet
	loopback              // this machine
	private               // its networks: RFC 1918, unique local, shared (RFC 6598)
	special               // never to be dialled: metadata services, multicast, reserved
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// The special-purpose addresses of the IANA registries, and where clouds answer
// their own machines: those look public or private and are neither.
var (
	loopbacks = prefixes("127.0.0.0/8", "::1/128")
	privates  = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
	specials  = prefixes(
		"168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::/32", "fd00:42::42/128", // metadata
		"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "3fff::/20",
	)
	global6 = netip.MustParsePrefix("2000::/3") // what of IPv6 is given out at all
)

// Prefixes whose addresses carry an IPv4 address that a gateway goes on to.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765
	compatible = netip.MustParsePrefix("::/96")           // long deprecated
)

// classify says what a is. An IPv6 address that stands for an IPv4 address is
// what that is.
func classify(a netip.Addr) class {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return special
	}
	if in(a, loopbacks) {
		return loopback
	}
	if a.Is4() {
		return rank(a)
	}
	if v4, ok := embedded(a); ok {
		return max(classify(v4), rank(a))
	}
	return rank(a)
}

func rank(a netip.Addr) class {
	switch {
	case in(a, specials):
		return special
	case in(a, privates):
		return private
	case a.Is6() && !global6.Contains(a) && !nat64.Contains(a):
		return special // link-local, site-local, multicast, discard, mapped in other ways
	}
	return public
}

// embedded is the IPv4 address inside an IPv6 address.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	last := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case nat64.Contains(a), translated.Contains(a), compatible.Contains(a):
		return last, true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case binary.BigEndian.Uint32(b[8:12])&^0x03000000 == 0x5efe: // ISATAP
		return last, true
	}
	return netip.Addr{}, false
}

func in(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
