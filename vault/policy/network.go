package policy

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// Network is one entry of an IP allowlist: a CIDR block (RFC 4632, RFC 4291)
// or a single address, which is a block of one. The zero Network contains
// nothing.
type Network struct {
	src    string // as it was written
	prefix netip.Prefix
}

// parseNetwork reads an entry. An IPv4-mapped IPv6 block (::ffff:10.0.0.0/104)
// becomes the IPv4 block that it means. Host bits may be set: 10.1.2.3/8 is
// 10.0.0.0/8. A zone is refused, as it names an interface of another machine.
func parseNetwork(s string) (Network, bool) {
	p, err := netip.ParsePrefix(s) // refuses zones
	if !strings.Contains(s, "/") {
		var a netip.Addr
		a, err = netip.ParseAddr(s)
		if a.Zone() != "" {
			return Network{}, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if err != nil {
		return Network{}, false
	}
	if p.Addr().Is4In6() {
		// Shorter than the ::ffff:0:0/96 of RFC 4291 §2.5.5.2, the block would
		// hold IPv4 and other addresses at once; nobody means that.
		if p.Bits() < 96 {
			return Network{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return Network{src: s, prefix: p}, true
}

// Contains reports whether ip is in the network. An IPv4-mapped IPv6 address,
// as a dual-stack listener reports it, is taken for the IPv4 address. An
// invalid address and one with a zone are in no network.
func (n Network) Contains(ip netip.Addr) bool { return n.prefix.Contains(ip.Unmap()) }

// String returns the network as it was written.
func (n Network) String() string { return n.src }

// MarshalText implements encoding.TextMarshaler.
func (n Network) MarshalText() ([]byte, error) { return []byte(n.src), nil }

func parseAllowlist(raw json.RawMessage) ([]Network, error) {
	const field = "conditions.ip_allowlist"
	var entries []string
	if json.Unmarshal(raw, &entries) != nil {
		return nil, reject(field, "must be a list of strings")
	}
	switch {
	case len(entries) == 0:
		// It could mean anybody or nobody. Whoever wants no condition leaves
		// the key out.
		return nil, reject(field, "must not be empty")
	case len(entries) > maxNetworks:
		return nil, reject(field, "more than %d entries", maxNetworks)
	}
	out := make([]Network, len(entries))
	for i, s := range entries {
		n, ok := parseNetwork(s)
		if !ok {
			return nil, reject(field, "entry %d is neither an IP address nor a CIDR block", i+1)
		}
		out[i] = n
	}
	return out, nil
}
