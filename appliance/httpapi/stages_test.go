package httpapi

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestP2Authentication(t *testing.T) {
	challenge := map[string]string{"WWW-Authenticate": "Bearer"}
	auth := func(v string) map[string]string { return map[string]string{"Authorization": v} }
	run(t, []scenario{
		{name: "no token", url: "/v1/t/authed", status: 401, want: challenge, has: []string{`"code":"missing_token"`}},
		{name: "empty", url: "/v1/t/authed", header: auth(""), status: 401, want: challenge},
		{name: "another scheme", url: "/v1/t/authed", header: auth("Basic " + canary), status: 401, want: challenge},
		{name: "no scheme", url: "/v1/t/authed", header: auth("human"), status: 401, want: challenge},
		{name: "two tokens", url: "/v1/t/authed", header: auth("Bearer human, Bearer human"), status: 401, want: challenge},
		{name: "invalid", url: "/v1/t/authed", header: auth("Bearer " + canary), status: 401, want: challenge,
			has: []string{"Invalid or expired token", `"status":401`, `"title":"Unauthorized"`}},
		{name: "valid", url: "/v1/t/authed", as: "human", status: 204},
		{name: "any case", url: "/v1/t/authed", header: auth("bEaReR human"), status: 204},
		{name: "agents only, agent", url: "/v1/t/agents-only", as: "agent", status: 200, has: []string{`"agent"`}},
		{name: "agents only, human", url: "/v1/t/agents-only", as: "human", status: 403, has: []string{"Access denied"}},
		{name: "humans only, agent", url: "/v1/t/humans-only", as: "agent", status: 403, has: []string{"Access denied"}},
		{name: "a public route ignores a bad token", url: "/v1/health", header: auth("Bearer " + canary), status: 200},
	})
}

func TestSealedWhileAuthenticating(t *testing.T) {
	w := newWorld(t)
	w.identity.fail = hsm.ErrSealed
	w.check(t, scenario{url: "/v1/t/authed", as: "human", status: 503, has: []string{`"code":"sealed"`}})
}

func TestReceiptsOfTheLastEvent(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ url, as, index string }{
		{"/v1/t/agents-only", "agent", "7"}, // success
		{"/v1/t/fault/limit", "human", "9"}, // refusal
		{"/v1/t/fault/panic", "human", "9"}, // panic
		{"/v1/t/authed", "nobody", "41"},    // failed authentication
		{"/v1/health", "", ""},              // nothing recorded
		{"/v1/t/agents-only", "", ""},       // not even asked
	} {
		h := w.do(scenario{url: tt.url, as: tt.as}).Header()
		if got := h.Get("X-Audit-Index"); got != tt.index {
			t.Errorf("%s: index %q, want %q", tt.url, got, tt.index)
		}
		if tt.index == "" {
			continue
		}
		leaf, err := base64.StdEncoding.DecodeString(h.Get("X-Audit-Leaf"))
		if err != nil || len(leaf) != 32 || len(h.Get("X-Audit-Event")) != 36 {
			t.Errorf("%s: %v", tt.url, h)
		}
	}
}

func TestP6ClientAddress(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, peer string
		xff        []string
		trust      proxies
		want       string
	}{
		{"nobody is trusted", "10.0.0.1:1", []string{"1.1.1.1"}, nil, "10.0.0.1"},
		{"the peer is not trusted", "8.8.8.8:1", []string{"1.1.1.1"}, trusted, "8.8.8.8"},
		{"one proxy", "10.0.0.1:1", []string{"1.1.1.1"}, trusted, "1.1.1.1"},
		{"no header", "10.0.0.1:1", nil, trusted, "10.0.0.1"},
		{"the client lied", "10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1"}, trusted, "1.1.1.1"},
		{"two proxies", "10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1, 10.9.9.9"}, trusted, "1.1.1.1"},
		{"over lines", "10.0.0.1:1", []string{"6.6.6.6", "1.1.1.1", "10.9.9.9"}, trusted, "1.1.1.1"},
		{"all trusted", "10.0.0.1:1", []string{"10.1.1.1, 10.2.2.2"}, trusted, "10.1.1.1"},
		{"nonsense", "10.0.0.1:1", []string{"1.1.1.1, unknown, 10.2.2.2"}, trusted, "10.2.2.2"},
		{"with a port", "10.0.0.1:1", []string{"1.1.1.1:99"}, trusted, "1.1.1.1"},
		{"IPv6", "[fd00::1]:1", []string{"2001:db8::7"}, trusted, "2001:db8::7"},
		{"mapped", "[::ffff:10.0.0.1]:1", []string{"::ffff:1.1.1.1"}, trusted, "1.1.1.1"},
		{"zone", "[fe80::1%eth0]:1", nil, trusted, "fe80::1"},
		{"unix socket", "@", []string{"1.1.1.1"}, trusted, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(get, "/", nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.xff
			if got, _ := tt.trust.client(r); got.String() != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestP6AddressReachesIdentity(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	w.identity.seen = make(chan identity.Peer, 1)
	w.do(scenario{url: "/v1/t/authed", as: "human", header: map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "r1"}})
	if p := <-w.identity.seen; p.IP.String() != "203.0.113.9" || p.Request != "r1" {
		t.Errorf("identity saw %+v", p)
	}
	if !strings.Contains(w.log.String(), `"client":"203.0.113.9"`) {
		t.Error("the log does not")
	}
}

func TestHSTSOnlyUnderTLS(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")} })
	hsts := func(peer, proto string, direct bool) bool {
		r := httptest.NewRequest(get, "/v1/health", nil)
		r.RemoteAddr = peer
		if proto != "" {
			r.Header.Set("X-Forwarded-Proto", proto)
		}
		if direct {
			r.TLS = &tls.ConnectionState{}
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		return rec.Header().Get("Strict-Transport-Security") != ""
	}
	if !hsts("8.8.8.8:1", "", true) || !hsts("10.0.0.1:1", "https", false) {
		t.Error("missing under TLS")
	}
	if hsts("8.8.8.8:1", "https", false) || hsts("10.0.0.1:1", "http", false) {
		t.Error("sent over plain HTTP")
	}
}

func TestP5GlobalLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		from := func(ip string) (int, string) {
			rec := w.do(scenario{url: "/v1/health", header: map[string]string{"Remote": ip + ":1"}})
			return rec.Code, rec.Header().Get("Retry-After")
		}
		for range 200 {
			if code, _ := from("1.1.1.1"); code != 200 {
				t.Fatal(code)
			}
		}
		if code, wait := from("1.1.1.1"); code != 429 || wait != "1" {
			t.Errorf("%d %q", code, wait)
		}
		if code, _ := from("1.1.1.2"); code != 200 {
			t.Error("another client pays for the first")
		}
		time.Sleep(10 * time.Millisecond)
		if code, _ := from("1.1.1.1"); code != 200 {
			t.Error("no token after 10 ms")
		}
		if code, _ := from("1.1.1.1"); code != 429 {
			t.Error("more than one")
		}
		for range 500 {
			if code, _ := from("127.0.0.1"); code != 200 {
				t.Fatal("loopback is limited")
			}
		}
	})
}

func TestP5GuessingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		try := func(key string) int {
			return w.do(scenario{method: post, url: "/v1/t/login", body: `{"api_key":"` + key + `"}`, header: map[string]string{"Remote": "127.0.0.1:1"}}).Code
		}
		for range 50 {
			if code := try("right"); code != 204 {
				t.Fatalf("a right key is limited: %d", code)
			}
		}
		for range 5 {
			if code := try("wrong"); code != 401 {
				t.Fatal(code)
			}
		}
		if try("wrong") != 429 || try("right") != 204 || try("wrong") != 429 {
			t.Error("the sixth guess went through, or a right key was held up")
		}
		time.Sleep(time.Second)
		if try("right") != 204 || try("right") != 204 || try("wrong") != 401 || try("wrong") != 429 {
			t.Error("one guess per second, free if right")
		}
		time.Sleep(time.Minute)
		var told atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if try("wrong") == 401 {
					told.Add(1)
				}
			})
		}
		all.Wait()
		if n := told.Load(); n != 5 {
			t.Errorf("guesses that come together: %d were answered, of a burst of 5", n)
		}
	})
}

func TestLimitsCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t, unlimited)
	for i := range 300 {
		if rec := w.do(scenario{url: "/v1/health"}); rec.Code != 200 {
			t.Fatalf("request %d: %d", i, rec.Code)
		}
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	l := newLimiter(Rate{PerSecond: 0.001, Burst: 1}, defaultGlobal)
	var a [16]byte
	a[0] = 0x20
	for i := range maxBuckets + 5000 {
		a[4], a[5], a[6] = byte(i>>16), byte(i>>8), byte(i)
		if _, ok := l.take(netip.AddrFrom16(a)); !ok {
			t.Fatal(i)
		}
	}
	if len(l.full) > maxBuckets {
		t.Errorf("%d buckets", len(l.full))
	}
	one, two := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	l.take(one)
	if _, ok := l.take(two); ok {
		t.Error("neighbours in a /64 have two buckets")
	}
}

func TestDrainWaitsForRequestsInFlight(t *testing.T) {
	w := newWorld(t)
	inside, release := make(chan struct{}), make(chan struct{})
	handle(get, "/v1/t/slow", "slow", func(context.Context, *none) (*none, error) {
		close(inside)
		<-release
		return nil, nil
	}, public)(w.Server)

	var wg sync.WaitGroup
	wg.Go(func() {
		if rec := w.do(scenario{url: "/v1/t/slow"}); rec.Code != 204 {
			t.Errorf("the request in flight got %d", rec.Code)
		}
	})
	<-inside
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(short); err == nil {
		t.Error("did not wait")
	}
	w.check(t, scenario{url: "/v1/health", status: 503, has: []string{"shutting_down"}, want: map[string]string{"Connection": "close", "Retry-After": "1"}})
	close(release)
	if err := w.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Shutdown(t.Context()); err != nil {
		t.Error("twice:", err)
	}
	wg.Wait()
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, unlimited)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				id := "r" + strconv.Itoa(i*100+j)
				rec := w.do(scenario{url: "/v1/t/agents-only", as: "agent", header: map[string]string{"X-Request-Id": id}})
				if rec.Code != 200 || rec.Header().Get("X-Request-Id") != id {
					t.Errorf("%d %v", rec.Code, rec.Header())
				}
			}
		})
	}
	wg.Wait()
}
