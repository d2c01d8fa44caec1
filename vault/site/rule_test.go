package site

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestG2_Decisions(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules string // type network audience, separated by commas
		yes   string // kind@address
		no    string
	}{
		{"no rules", "", "user@192.0.2.1 agent@2001:db8::1 user@-", ""},
		{"deny alone", "deny 192.0.2.0/24 all", "user@198.51.100.1 agent@2001:db8::1 user@-", "user@192.0.2.1 agent@192.0.2.255 user@::ffff:192.0.2.1"},
		{"allow alone", "allow 192.0.2.0/24 all", "user@192.0.2.1 agent@::ffff:192.0.2.9", "user@198.51.100.1 user@2001:db8::1 user@-"},
		{"deny wins", "allow 192.0.2.0/24 all,deny 192.0.2.7 all", "user@192.0.2.1", "user@192.0.2.7 user@198.51.100.1"},
		{"in any order", "deny 192.0.2.7 all,allow 192.0.2.0/24 all", "user@192.0.2.1", "user@192.0.2.7"},
		{"two allows", "allow 192.0.2.1 all,allow 2001:db8::/32 all", "user@192.0.2.1 user@2001:db8:1::1", "user@2001:db9::1"},
		{"for agents", "allow 192.0.2.1 agents", "user@198.51.100.1 agent@192.0.2.1", "agent@198.51.100.1"},
		{"for people", "deny 192.0.2.1 users", "agent@192.0.2.1", "user@192.0.2.1"},
		{"each their own", "allow 192.0.2.1 users,allow 192.0.2.2 agents", "user@192.0.2.1 agent@192.0.2.2", "user@192.0.2.2 agent@192.0.2.1"},
		{"IPv4 written as IPv6", "allow ::ffff:192.0.2.0/120 all", "user@192.0.2.1", "user@192.0.3.1"},
		{"host bits", "allow 192.0.2.77/24 all", "user@192.0.2.1", "user@192.0.3.1"},
		{"everything", "allow 0.0.0.0/0 all", "user@192.0.2.1", "user@2001:db8::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rules []Rule
			for text := range strings.SplitSeq(c.rules, ",") {
				if f := strings.Fields(text); len(f) == 3 {
					r, err := NewRule{Type: f[0], CIDR: f[1], AppliesTo: f[2]}.parse()
					if err != nil {
						t.Fatal(err)
					}
					rules = append(rules, r)
				}
			}
			for want, list := range map[bool]string{true: c.yes, false: c.no} {
				for _, who := range strings.Fields(list) {
					kind, at, _ := strings.Cut(who, "@")
					addr, _ := netip.ParseAddr(at)
					if Allowed(rules, identity.Kind(kind), addr) != want {
						t.Errorf("%s: want %v", who, want)
					}
				}
			}
		})
	}
}

func TestG2_WhatIsARule(t *testing.T) {
	for _, c := range []struct {
		n    NewRule
		want error
		text string
	}{
		{NewRule{Type: "allow", CIDR: "10.1.2.3/8"}, nil, "allow 10.0.0.0/8 all"},
		{NewRule{Type: "block", CIDR: "2001:db8::1", AppliesTo: "agents"}, nil, "deny 2001:db8::1/128 agents"},
		{NewRule{Type: "Allow", CIDR: "10.0.0.0/8"}, ErrRuleType, ""},
		{NewRule{CIDR: "10.0.0.0/8"}, ErrRuleType, ""},
		{NewRule{Type: "allow"}, ErrCIDR, ""},
		{NewRule{Type: "allow", CIDR: "example.com"}, ErrCIDR, ""},
		{NewRule{Type: "allow", CIDR: "fe80::1%eth0"}, ErrCIDR, ""},
		{NewRule{Type: "allow", CIDR: "::ffff:0:0/90"}, ErrCIDR, ""},
		{NewRule{Type: "allow", CIDR: "10.0.0.0/8", AppliesTo: "everybody"}, ErrAppliesTo, ""},
		{NewRule{Type: "allow", CIDR: "10.0.0.0/8", Label: strings.Repeat("l", 256)}, ErrLabel, ""},
	} {
		r, err := c.n.parse()
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%+v: %v, want %v", c.n, err, c.want)
		}
		if got := fmt.Sprintf("%s %s %s", r.Type, r.Network, r.AppliesTo); err == nil && got != c.text {
			t.Errorf("%+v is %s, want %s", c.n, got, c.text)
		}
	}
}

// Whoever knocks from however many addresses: the first knock of each is
// recorded, and memory has an end.
func TestG2_DenialsAreBounded(t *testing.T) {
	var d denials
	now := time.Unix(0, 0)
	who := id.New()
	for i := range 3 * maxDenials {
		key := denial{who, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
		if _, record := d.count(key, now); !record {
			t.Fatal("a first one was not recorded")
		}
	}
	if len(d.last) > maxDenials {
		t.Error(len(d.last))
	}
	key := denial{who, netip.MustParseAddr("192.0.2.1")}
	for i, c := range []struct {
		after   time.Duration
		skipped int
		record  bool
	}{{0, 0, true}, {1, 0, false}, {denialEvery - 1, 0, false}, {denialEvery, 2, true}, {denialEvery + 1, 0, false}} {
		if skipped, record := d.count(key, now.Add(c.after)); skipped != c.skipped || record != c.record {
			t.Errorf("%d: %d, %v", i, skipped, record)
		}
	}
}

func TestG3_Values(t *testing.T) {
	for _, c := range []struct {
		key, value, is string
		want           error
	}{
		{"maintenance_mode", " True ", "true", nil},
		{"maintenance_mode", "1", "", ErrSettingValue},
		{"signup_mode", "invite", "invite", nil},
		{"signup_mode", "", "", ErrSettingValue},
		{"egress.allow_private", "false", "false", nil},
		{"x402.pay_to", "0xAbC", "0xAbC", nil},
		{"x402.pay_to", strings.Repeat("x", maxValue+1), "", ErrSettingValue},
		{"x402.", "x", "", ErrUnknownSetting},
		{"x402.A", "x", "", ErrUnknownSetting},
		{"", "x", "", ErrUnknownSetting},
	} {
		got, err := parseValue(c.key, c.value)
		if got != c.is || !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s=%.20s: %q, %v", c.key, c.value, got, err)
		}
	}
	d := Settings{X402: map[string]string{"asset": "a"}, Signup: SignupInvite, Maintenance: true}
	now := d.over([]Setting{{Key: "x402.asset", Value: "b"}, {Key: "signup_mode", Value: "closed"}, {Key: "maintenance_mode", Value: "false"}})
	if now.X402["asset"] != "b" || d.X402["asset"] != "a" || now.Signup != SignupClosed || now.Maintenance || maintenance(true, nil) != true {
		t.Errorf("%+v over %+v", now, d)
	}
}
