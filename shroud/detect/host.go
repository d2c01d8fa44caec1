package detect

import (
	"net/netip"
	"strconv"
	"strings"
)

// address is what the host of a URL says.
type address struct {
	name string     // in small letters, without a dot at its end
	ip   netip.Addr // if it is one
	odd  bool       // whether the IP is written in a way that only software reads
}

// dots are the full stops that browsers take for one of ASCII.
var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

// hostAddress reads a host as browsers do: an IPv4 address may be written as one
// number, in octal or hexadecimal, or with fewer parts.
func hostAddress(host string) address {
	a := address{name: strings.TrimSuffix(strings.ToLower(dots.Replace(host)), ".")}
	if inner, ok := strings.CutPrefix(a.name, "["); ok {
		if ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil {
			a.odd, a.ip = ip.Is4In6(), ip.Unmap()
		}
		return a
	}
	if ip, err := netip.ParseAddr(a.name); err == nil && ip.Is4() {
		a.ip, a.odd = ip, dots.Replace(host) != host
		return a
	}
	if ip, ok := looseIPv4(a.name); ok {
		a.ip, a.odd = ip, true
	}
	return a
}

// looseIPv4 reads what inet_aton does.
func looseIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 || s == "" {
		return netip.Addr{}, false
	}
	var v uint64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 0, 32) // 0x and 0 as in C
		if err != nil || strings.ContainsAny(p, "_+") || len(p) > 1 && p[0] == '0' && (p[1]|0x20 == 'b' || p[1]|0x20 == 'o') {
			return netip.Addr{}, false
		}
		bits := 8
		if last := i == len(parts)-1; last {
			bits = 8 * (5 - len(parts))
		}
		if n >= 1<<bits {
			return netip.Addr{}, false
		}
		v = v<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}

// under reports whether name is domain or below it. Domains may be written with a
// star in front.
func under(name, domain string) bool {
	domain = strings.Trim(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(domain)), "*"), ".")
	return domain != "" && (name == domain || strings.HasSuffix(name, "."+domain))
}

func anyUnder(name string, domains []string) bool {
	for _, d := range domains {
		if under(name, d) {
			return true
		}
	}
	return false
}
