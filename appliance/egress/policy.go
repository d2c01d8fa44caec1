package egress

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Policy says where connections may go. Its zero value allows the Internet and
// nothing nearer.
type Policy struct {
	AllowPrivate  bool // networks that are not the Internet: 10.0.0.0/8, fc00::/7 …
	AllowLoopback bool // this machine
	// Allow lists places that are allowed whatever they are: networks
	// (10.1.0.0/16), addresses, or host names (mail.internal), each with a port if
	// only that one is meant.
	Allow []string
	// OnlyAllowed forbids all but Allow: an appliance that is cut off.
	OnlyAllowed bool
}

// rule is a parsed entry of Allow.
type rule struct {
	net  netip.Prefix // invalid for a name
	host string
	port uint16 // 0 means any
}

// parseRule reads an entry of Allow.
func parseRule(s string) (rule, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return rule{net: p.Masked()}, nil
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return rule{net: single(a)}, nil
	}
	host, port := s, uint16(0)
	if h, p, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return rule{}, fmt.Errorf("egress: %q has no port between 1 and 65535", s)
		}
		host, port = h, uint16(n)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return rule{net: single(a), port: port}, nil
	}
	host, ok := foldHost(host)
	if !ok {
		return rule{}, fmt.Errorf("egress: %q is neither a network, an address nor a host name", s)
	}
	return rule{host: host, port: port}, nil
}

func single(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// foldHost is the form in which names are compared; not ok for what is no name.
// A name whose last label is a number is one of the many spellings of an IPv4
// address (0x7f.1, 2130706433) that resolvers read in different ways.
func foldHost(h string) (string, bool) {
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	if h == "" || len(h) > 253 {
		return "", false
	}
	labels := strings.Split(h, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	last := labels[len(labels)-1]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" {
		return "", false
	}
	return h, true
}

// vetter holds addresses against a policy.
type vetter struct {
	Policy
	rules []rule
}

func newVetter(p Policy) (*vetter, error) {
	v := &vetter{Policy: p}
	for _, s := range p.Allow {
		r, err := parseRule(s)
		if err != nil {
			return nil, err
		}
		v.rules = append(v.rules, r)
	}
	return v, nil
}

// named reports whether the policy allows a host by its name.
func (v *vetter) named(host string, port uint16) bool {
	for _, r := range v.rules {
		if r.host != "" && r.host == host && (r.port == 0 || r.port == port) {
			return true
		}
	}
	return false
}

// allows reports whether the policy allows an address.
func (v *vetter) allows(a netip.Addr, port uint16) bool {
	a = a.Unmap().WithZone("")
	for _, r := range v.rules {
		if r.net.IsValid() && r.net.Contains(a) && (r.port == 0 || r.port == port) {
			return true
		}
	}
	switch {
	case v.OnlyAllowed:
		return false
	case classify(a) == public:
		return true
	case classify(a) == loopback:
		return v.AllowLoopback
	case classify(a) == private:
		return v.AllowPrivate
	}
	return false
}

// CheckURL says early what a connection would be refused for: an address that
// the policy forbids, a spelling that is no host. Names are judged when they are
// dialled.
func (d *Dialer) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ErrHost
	}
	port := u.Port()
	if port == "" {
		if port = "443"; u.Scheme == "http" {
			port = "80"
		}
	}
	t, err := d.target(net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	if t.addr.IsValid() && !d.vet.allows(t.addr, t.port) || !t.addr.IsValid() && d.vet.OnlyAllowed && len(d.vet.rules) == 0 {
		return ErrForbidden
	}
	return nil
}
