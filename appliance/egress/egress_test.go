package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// names is a Resolver that answers from a list, each question with the next.
type names struct {
	asked   atomic.Int32
	answers [][]string
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	i := int(n.asked.Add(1)) - 1
	var out []netip.Addr
	for _, a := range n.answers[min(i, len(n.answers)-1)] {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

func dialer(t testing.TB, p Policy, answers ...[]string) (*Dialer, *names) {
	t.Helper()
	n := &names{answers: append(answers, nil)}
	if len(answers) > 0 {
		n.answers = answers
	}
	d, err := New(p, n)
	if err != nil {
		t.Fatal(err)
	}
	return d, n
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		addr string
		want class
	}{
		{"1.1.1.1", public},
		{"93.184.215.14", public},
		{"2606:4700:4700::1111", public},
		{"::ffff:1.1.1.1", public},
		{"64:ff9b::101:101", public},
		{"2002:101:101::1", public},
		{"127.0.0.1", loopback},
		{"127.255.255.254", loopback},
		{"::1", loopback},
		{"0:0:0:0:0:0:0:1", loopback},
		{"::ffff:127.0.0.1", loopback},
		{"::ffff:7f00:1", loopback},
		{"::ffff:0a00:1", private},
		{"10.0.0.1", private},
		{"172.16.0.1", private},
		{"172.31.255.255", private},
		{"172.32.0.1", public},
		{"192.168.1.1", private},
		{"100.64.0.1", private},
		{"fd12:3456::1", private},
		{"fc00::1", private},
		{"64:ff9b::7f00:1", loopback},
		{"64:ff9b::a00:1", private},
		{"64:ff9b::a9fe:a9fe", special},
		{"64:ff9b:1::a00:1", special},
		{"2002:7f00:1::", loopback},
		{"2002:a00:1::1", private},
		{"2002:a9fe:a9fe::", special},
		{"2606:4700::5efe:10.0.0.1", private},
		{"2606:4700::200:5efe:127.0.0.1", loopback},
		{"::127.0.0.1", special},
		{"::10.0.0.1", special},
		{"::ffff:0:127.0.0.1", special},
		{"169.254.169.254", special},
		{"::ffff:169.254.169.254", special},
		{"fd00:ec2::254", special},
		{"fd20:ce::254", special},
		{"168.63.129.16", special},
		{"100.100.100.200", special},
		{"169.254.0.1", special},
		{"fe80::1", special},
		{"fe80::1%eth0", special},
		{"fec0::1", special},
		{"0.0.0.0", special},
		{"0.1.2.3", special},
		{"::", special},
		{"224.0.0.1", special},
		{"239.255.255.250", special},
		{"ff02::1", special},
		{"255.255.255.255", special},
		{"240.0.0.1", special},
		{"192.0.2.1", special},
		{"198.18.0.1", special},
		{"2001::1", special},
		{"2001:db8::1", special},
		{"100::1", special},
		{"4000::1", special},
	} {
		if got := classify(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s is class %d, want %d", c.addr, got, c.want)
		}
	}
	if classify(netip.Addr{}) != special {
		t.Error("no address at all")
	}
}

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy Policy
		addr   string
		ok     bool
	}{
		{"the Internet", Policy{}, "1.1.1.1:443", true},
		{"not this machine", Policy{}, "127.0.0.1:443", false},
		{"not in other clothes", Policy{}, "[::ffff:127.0.0.1]:443", false},
		{"not private", Policy{}, "10.0.0.1:443", false},
		{"loopback only", Policy{AllowLoopback: true}, "10.0.0.1:443", false},
		{"loopback", Policy{AllowLoopback: true}, "127.0.0.1:443", true},
		{"private", Policy{AllowPrivate: true}, "10.0.0.1:443", true},
		{"private is not loopback", Policy{AllowPrivate: true}, "[::1]:443", false},
		{"never metadata", Policy{AllowPrivate: true, AllowLoopback: true}, "169.254.169.254:80", false},
		{"never metadata, IPv6", Policy{AllowPrivate: true, AllowLoopback: true}, "[fd00:ec2::254]:80", false},
		{"unless it is named", Policy{Allow: []string{"169.254.169.254"}}, "169.254.169.254:80", true},
		{"a network", Policy{Allow: []string{"10.1.0.0/16"}}, "10.1.2.3:25", true},
		{"beside a network", Policy{Allow: []string{"10.1.0.0/16"}}, "10.2.2.3:25", false},
		{"a port", Policy{Allow: []string{"10.1.2.3:25"}}, "10.1.2.3:25", true},
		{"another port", Policy{Allow: []string{"10.1.2.3:25"}}, "10.1.2.3:26", false},
		{"an address in brackets", Policy{Allow: []string{"[fd00::1]:25"}}, "[fd00::1]:25", true},
		{"cut off", Policy{OnlyAllowed: true}, "1.1.1.1:443", false},
		{"cut off but for one", Policy{OnlyAllowed: true, Allow: []string{"1.1.1.1"}}, "1.1.1.1:443", true},
	} {
		d, _ := dialer(t, c.policy)
		to, err := d.target(c.addr)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if _, err := d.addresses(t.Context(), to); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, bad := range []string{"", "a b", "host:0", "host:99999", "http://x", "10.0.0.0/99", "0x7f.1"} {
		if _, err := New(Policy{Allow: []string{bad}}, nil); err == nil {
			t.Errorf("%q is allowed as a rule", bad)
		}
	}
}

// Spellings that some resolver takes for an address are no names at all.
func TestSpellings(t *testing.T) {
	d, n := dialer(t, Policy{})
	for _, host := range []string{
		"2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "1.2.3.4.5", "017700000001", "example.0x1",
		"[::1", "::1]", "a..b", "", " localhost", "local host", "localhost\n", "localhost\x00", "xn--\u00e9", "127.0.0.1%25", "①②⑦.⓪.⓪.①",
	} {
		if _, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "80")); !errors.Is(err, ErrHost) {
			t.Errorf("%q: %v", host, err)
		}
		if err := d.CheckURL("https://" + host + "/"); err == nil {
			t.Errorf("%q in a URL", host)
		}
	}
	for _, addr := range []string{"host", "host:", "host:0", "host:-1", "host:http", "host:65536"} {
		if _, err := d.DialContext(t.Context(), "tcp", addr); !errors.Is(err, ErrHost) {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if n.asked.Load() != 0 {
		t.Error("a resolver was asked")
	}
	if _, err := d.DialContext(t.Context(), "udp", "1.1.1.1:53"); err == nil {
		t.Error("UDP")
	}
	if _, err := d.DialContext(t.Context(), "unix", "/run/x"); err == nil {
		t.Error("a socket file")
	}
}

// What a name resolves to is judged, every address of it, and once.
func TestNames(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	get := func(d *Dialer) (string, error) {
		resp, err := d.Client(ClientOptions{}).Get("http://rebind.example:" + port)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	d, n := dialer(t, Policy{}, []string{"127.0.0.1"})
	if _, err := get(d); !errors.Is(err, ErrForbidden) || n.asked.Load() != 1 {
		t.Errorf("to loopback by name: %v, %d questions", err, n.asked.Load())
	}
	d, n = dialer(t, Policy{AllowLoopback: true}, []string{"10.0.0.1", "::ffff:127.0.0.1"}, []string{"169.254.169.254"})
	if got, err := get(d); err != nil || got != "in" || n.asked.Load() != 1 {
		t.Errorf("one address is allowed: %q, %v, %d questions", got, err, n.asked.Load())
	}
	d, _ = dialer(t, Policy{Allow: []string{"Rebind.Example:" + port}}, []string{"127.0.0.1"})
	if got, err := get(d); err != nil || got != "in" {
		t.Errorf("allowed by name: %q, %v", got, err)
	}
	d, n = dialer(t, Policy{OnlyAllowed: true, Allow: []string{"other.example"}}, []string{"127.0.0.1"})
	if _, err := get(d); !errors.Is(err, ErrForbidden) || n.asked.Load() != 0 {
		t.Errorf("cut off: %v, %d questions", err, n.asked.Load())
	}
	t.Setenv("HTTP_PROXY", server.URL)
	d, _ = dialer(t, Policy{}, []string{"127.0.0.1"})
	if _, err := get(d); !errors.Is(err, ErrForbidden) {
		t.Errorf("through a proxy: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inner") }))
	defer inner.Close()
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, inner.URL, http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			_, _ = io.WriteString(w, "end")
		}
	}))
	defer outer.Close()
	d, _ := dialer(t, Policy{AllowLoopback: true})
	c := d.Client(ClientOptions{})
	for path, ok := range map[string]bool{"/away": false, "/near": true, "/round": false} {
		resp, err := c.Get(outer.URL + path)
		if (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	status, err := d.Poster(ClientOptions{}).Post(t.Context(), outer.URL+"/near", nil, nil)
	if status != http.StatusFound || err != nil {
		t.Errorf("a delivery was redirected: %d, %v", status, err)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Query().Get("n"))))
	}))
	defer server.Close()
	d, _ := dialer(t, Policy{AllowLoopback: true})
	for n, want := range map[int]error{0: nil, 10: nil, 11: ErrTooLarge, 500: ErrTooLarge} {
		resp, err := d.Client(ClientOptions{MaxBody: 10}).Get(server.URL + "?n=" + strings.Repeat("n", n))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, want) || len(b) != min(n, 10) {
			t.Errorf("%d bytes: read %d, %v", n, len(b), err)
		}
	}
}

// TestIdle: those who ask at once find their connections there the next time.
func TestIdle(t *testing.T) {
	const callers = 16
	var conns atomic.Int32
	var together sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		together.Done()
		together.Wait()
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	d, _ := dialer(t, Policy{AllowLoopback: true})
	client := d.Client(ClientOptions{Idle: callers})
	defer client.CloseIdleConnections()
	for range 5 {
		together.Add(callers)
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				resp, err := client.Get(server.URL)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			})
		}
		all.Wait()
	}
	if n := conns.Load(); n > 2*callers { // one may be dialled while another comes free
		t.Errorf("%d connections for %d callers", n, callers)
	}
}

func TestPost(t *testing.T) {
	var got string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("X-A"), b)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	d, _ := dialer(t, Policy{AllowLoopback: true})
	p := d.Poster(ClientOptions{})
	secretURL := server.URL + "/hook?token=canary"
	if _, err := p.Post(t.Context(), secretURL, nil, nil); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("an unknown certificate: %v", err)
	}
	p.client.Transport.(bounded).next.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	status, err := p.Post(t.Context(), secretURL, map[string]string{"X-A": "b"}, []byte("body"))
	if err != nil || status != http.StatusAccepted || got != "POST /hook?token=canary b body" {
		t.Errorf("%d, %v, %q", status, err, got)
	}
}

func TestCheckURL(t *testing.T) {
	near, _ := dialer(t, Policy{AllowLoopback: true})
	far, _ := dialer(t, Policy{})
	for raw, ok := range map[string][2]bool{
		"https://example.com/x":    {true, true},
		"http://example.com":       {true, false},
		"https://127.0.0.1:8080/":  {true, false},
		"https://[::1]/":           {true, false},
		"https://10.0.0.1/":        {false, false},
		"https://169.254.169.254/": {false, false},
		"https://2130706433/":      {false, false},
		"https:///x":               {false, false},
		"%":                        {false, false},
	} {
		for i, d := range []*Dialer{near, far} {
			if err := d.Poster(ClientOptions{}).CheckURL(raw); (err == nil) != ok[i] {
				t.Errorf("%s, policy %d: %v", raw, i, err)
			}
		}
	}
}

// Whatever is written as a host, what may be dialled is never near.
func FuzzHosts(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "[::1]", "0x7f.1", "example.com", "[fe80::1%25eth0]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		u, err := url.Parse("https://" + host + "/")
		if err != nil || u.Port() != "" {
			return
		}
		d, _ := dialer(t, Policy{}, []string{"127.0.0.1", "10.1.1.1", "169.254.169.254", "::1", "fe80::1", "fd00::1"})
		to, err := d.target(net.JoinHostPort(u.Hostname(), "443"))
		if err != nil {
			return
		}
		may, err := d.addresses(t.Context(), to)
		for _, a := range may {
			if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a.Is4In6() {
				t.Errorf("%q leads to %s", host, a)
			}
		}
		if err == nil && to.host != "" {
			t.Errorf("%q leads somewhere", host)
		}
	})
}
