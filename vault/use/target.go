package use

import (
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURL bounds a URL, in bytes.
const maxURL = 8 << 10

// Origin is where a request goes, in the one spelling that is compared.
type Origin struct {
	Scheme string
	Host   string // lower case, no final dot; an address as netip writes it
	Port   uint16
}

// String is the form that is recorded: the scheme, the host, and the port unless it
// is that of the scheme.
func (o Origin) String() string { return o.Scheme + "://" + o.authority() }

func (o Origin) authority() string {
	host := o.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.Port == defaultPort(o.Scheme) {
		return host
	}
	return net.JoinHostPort(o.Host, strconv.Itoa(int(o.Port)))
}

func defaultPort(scheme string) uint16 {
	if scheme == "http" {
		return 80
	}
	return 443
}

// parseURL reads an absolute URL. The host in what it returns is that of the
// origin: nobody after this reads another one out of it.
func parseURL(raw string) (*url.URL, Origin, error) {
	if len(raw) > maxURL || !printable(raw) {
		return nil, Origin{}, ErrURL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, Origin{}, ErrURL
	}
	o := Origin{Scheme: u.Scheme, Port: defaultPort(u.Scheme)}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return nil, Origin{}, ErrURL
		}
		o.Port = uint16(n)
	}
	var ok bool
	if o.Host, ok = foldHost(u.Hostname()); !ok {
		return nil, Origin{}, ErrURL
	}
	u.Host = o.authority()
	return u, o, nil
}

// ParseOrigin reads scheme://host or scheme://host:port, and nothing more.
func ParseOrigin(raw string) (Origin, error) {
	u, o, err := parseURL(raw)
	if err != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery {
		return Origin{}, ErrURL
	}
	return o, nil
}

// printable reports whether s is of ASCII characters that URLs have.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) })
}

// foldHost is the spelling of a host that is compared. A name whose last label is
// a number is an address in one of the spellings that resolvers read in different
// ways, and so is none.
func foldHost(h string) (string, bool) {
	if a, err := netip.ParseAddr(h); err == nil {
		return a.Unmap().String(), a.Zone() == ""
	}
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	labels := strings.Split(h, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	last := labels[len(labels)-1]
	_, err := strconv.ParseUint(last, 0, 64)
	return h, len(h) <= 253 && err != nil && strings.Trim(last, "0123456789") != ""
}

// Hosts are those that a value may be sent to.
type Hosts []allowed

// allowed is one entry.
type allowed struct {
	Origin
	below bool // any name below Host, and not Host itself
}

// maxHosts bounds a list.
const maxHosts = 64

// ParseHosts reads a list of hosts: a name or an address, *.suffix for the names
// below one, with :port unless it is the usual one. https is meant unless an
// entry begins with http://.
func ParseHosts(list []string) (Hosts, error) {
	if len(list) > maxHosts {
		return nil, ErrHosts
	}
	var out Hosts
	for _, entry := range list {
		a, err := parseAllowed(entry)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func parseAllowed(entry string) (a allowed, err error) {
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok {
		scheme, rest = "https", entry
	}
	rest, a.below = strings.CutPrefix(rest, "*.")
	o, err := ParseOrigin(scheme + "://" + rest)
	if err != nil {
		return a, ErrHosts
	}
	if _, err := netip.ParseAddr(o.Host); a.below && (err == nil || !strings.Contains(o.Host, ".")) {
		return a, ErrHosts // all of a top-level domain is nobody's
	}
	a.Origin = o
	return a, nil
}

// Allow reports whether a value may be sent to o.
func (hs Hosts) Allow(o Origin) bool {
	return slices.ContainsFunc(hs, func(a allowed) bool {
		if a.Scheme != o.Scheme || a.Port != o.Port {
			return false
		}
		if a.below {
			return strings.HasSuffix(o.Host, "."+a.Host)
		}
		return o.Host == a.Host
	})
}

// Domains are the names, without addresses, that are or are above those of hosts which
// are reached by a scheme.
func (hs Hosts) Domains(scheme string) []string {
	var out []string
	for _, a := range hs {
		if _, err := netip.ParseAddr(a.Host); err != nil && a.Scheme == scheme && !slices.Contains(out, a.Host) {
			out = append(out, a.Host)
		}
	}
	return out
}

// hostsOf are the hosts that the metadata of a version names.
func hostsOf(metadata json.RawMessage) (Hosts, error) {
	var members map[string]json.RawMessage // exact names, unlike the fields of a struct
	if len(metadata) > 0 && json.Unmarshal(metadata, &members) != nil {
		return nil, ErrHosts
	}
	raw, ok := members["allowed_hosts"]
	if !ok {
		return nil, ErrNoHosts
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return nil, ErrHosts
	}
	if len(list) == 0 {
		return nil, ErrNoHosts
	}
	return ParseHosts(list)
}
