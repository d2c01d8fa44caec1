package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Errors. They name no address: what is behind a name is not for whoever chose
// the name to learn.
var (
	ErrForbidden = fault.New(fault.Invalid, "host_forbidden", "The appliance may not connect to this host")
	ErrHost      = fault.New(fault.Invalid, "invalid_host", "Not a host that can be connected to")
)

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dialer opens connections that its policy allows.
type Dialer struct {
	vet      *vetter
	resolver Resolver
	timeout  time.Duration
}

// New returns a Dialer. The resolver is the system's if nil.
func New(p Policy, r Resolver) (*Dialer, error) {
	v, err := newVetter(p)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = net.DefaultResolver
	}
	return &Dialer{vet: v, resolver: r, timeout: 10 * time.Second}, nil
}

// target is where a connection is to go: a name, or an address.
type target struct {
	host string
	addr netip.Addr
	port uint16
}

func (d *Dialer) target(addr string) (target, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return target{}, ErrHost
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return target{}, ErrHost
	}
	t := target{port: uint16(n)}
	if t.addr, err = netip.ParseAddr(host); err == nil {
		return t, nil
	}
	var ok bool
	if t.host, ok = foldHost(host); !ok {
		return target{}, ErrHost
	}
	return t, nil
}

// addresses are those of t that may be dialled; there is at least one.
func (d *Dialer) addresses(ctx context.Context, t target) ([]netip.Addr, error) {
	all, named := []netip.Addr{t.addr}, false
	if !t.addr.IsValid() {
		named = d.vet.named(t.host, t.port)
		if !named && d.vet.OnlyAllowed && !d.vet.hasNets() {
			return nil, ErrForbidden // silence: not even the question leaves
		}
		var err error
		if all, err = d.resolver.LookupNetIP(ctx, "ip", t.host); err != nil {
			return nil, fmt.Errorf("egress: the name does not resolve: %w", err)
		}
	}
	var may []netip.Addr
	for _, a := range all {
		if a.IsValid() && (named || d.vet.allows(a, t.port)) {
			may = append(may, a.Unmap())
		}
	}
	if len(may) == 0 {
		return nil, ErrForbidden
	}
	return may, nil
}

func (v *vetter) hasNets() bool {
	for _, r := range v.rules {
		if r.net.IsValid() {
			return true
		}
	}
	return false
}

// DialContext connects to host:port over TCP, to the first of its addresses that
// answers. It is what http.Transport and mail clients take.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("egress: no connections over %s", network)
	}
	t, err := d.target(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	may, err := d.addresses(ctx, t)
	if err != nil {
		return nil, err
	}
	var bad error
	for i, a := range may {
		c, err := d.dialOne(ctx, network, netip.AddrPortFrom(a, t.port), len(may)-i)
		if err == nil {
			return c, nil
		}
		bad = errors.Join(bad, err)
	}
	return nil, bad
}

// dialOne dials an address, leaving time for those after it.
func (d *Dialer) dialOne(ctx context.Context, network string, to netip.AddrPort, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(time.Until(end)/time.Duration(left), time.Second))
		defer cancel()
	}
	return (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, network, to.String())
}
