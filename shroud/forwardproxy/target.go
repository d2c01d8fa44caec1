package forwardproxy

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/vault/use"
)

// ParseTarget reads what a client wants a tunnel to: host:port, with a name. An address
// has no name that a certificate could be for, and that the list could hold.
func ParseTarget(s string) (use.Origin, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || port == "" || strings.Trim(port, "0123456789") != "" {
		return use.Origin{}, errTarget
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return use.Origin{}, errAddress
	}
	o, err := use.ParseOrigin("https://" + s)
	if err != nil {
		return use.Origin{}, errTarget
	}
	return o, nil
}

// ParseCredentials reads Proxy-Authorization: an agent's id and key as Basic credentials,
// which is what a client sends for http://id:key@proxy, or a token.
func ParseCredentials(h http.Header) (shroud.Credentials, error) {
	v := h.Values("Proxy-Authorization")
	if len(v) != 1 {
		return shroud.Credentials{}, errCredentials
	}
	scheme, text, _ := strings.Cut(v[0], " ")
	text = strings.TrimSpace(text)
	switch {
	case strings.EqualFold(scheme, "basic"):
		pair, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return shroud.Credentials{}, errCredentials
		}
		c, err := shroud.ParseAgentKey(string(pair))
		if err != nil {
			return shroud.Credentials{}, errCredentials
		}
		return c, nil
	case strings.EqualFold(scheme, "bearer") && text != "" && !strings.ContainsAny(text, " ,\t"):
		return shroud.Credentials{Token: text}, nil
	}
	return shroud.Credentials{}, errCredentials
}

// aims reports whether a request that came through a tunnel, or names its host itself,
// is for the origin.
func aims(r *http.Request, at use.Origin) bool {
	if r.URL.Host != "" && r.URL.Scheme != at.Scheme {
		return false
	}
	o, err := use.ParseOrigin(at.Scheme + "://" + r.Host)
	return err == nil && o == at
}
