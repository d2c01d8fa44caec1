package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the networks whose word about the client is believed. Everyone
// else can write X-Forwarded-For too, and the address feeds rate limits, policy
// conditions and the audit log; so by default the peer is the client.
type proxies []netip.Prefix

// client is the address of who sent r, and whether they speak TLS: the peer,
// or, behind trusted proxies, the right-most address in X-Forwarded-For that is
// not one of them. Addresses further left are what the client claimed.
func (p proxies) client(r *http.Request) (addr netip.Addr, tls bool) {
	tls = r.TLS != nil
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, tls // a unix socket or the like
	}
	addr = plainAddr(ap.Addr())
	if len(p) == 0 || !p.trust(addr) {
		return addr, tls
	}
	tls = tls || r.Header.Get("X-Forwarded-Proto") == "https"
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for rest != "" {
			hop := rest
			if j := strings.LastIndexByte(rest, ','); j >= 0 {
				rest, hop = rest[:j], rest[j+1:]
			} else {
				rest = ""
			}
			next, ok := parseHop(strings.TrimSpace(hop))
			if !ok {
				return addr, tls // what lies beyond was not written by a proxy of ours
			}
			if addr = next; !p.trust(addr) {
				return addr, tls
			}
		}
	}
	return addr, tls
}

func (p proxies) trust(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an address with or without a port.
func parseHop(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return plainAddr(a), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plainAddr(ap.Addr()), true
	}
	return netip.Addr{}, false
}

// plainAddr gives an address one form, so that it equals what was configured.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
