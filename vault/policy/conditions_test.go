package policy

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

func mustConditions(t testing.TB, raw string) Conditions {
	t.Helper()
	c, err := ParseConditions(json.RawMessage(raw))
	if err != nil {
		t.Fatalf("ParseConditions(%s): %v", raw, err)
	}
	return c
}

var (
	noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) // a Wednesday
	home = netip.MustParseAddr("10.1.2.3")
)

func TestO4_None(t *testing.T) {
	for _, raw := range []string{"", " ", "null", "{}", "{ }", ` {"ip_allowlist":null,"time_window":null}`} {
		c := mustConditions(t, raw)
		b, err := json.Marshal(c)
		if !c.IsZero() || !c.Hold(netip.Addr{}, time.Time{}) || err != nil || string(b) != "{}" {
			t.Errorf("%q: IsZero %v, JSON %s, %v", raw, c.IsZero(), b, err)
		}
	}
	if c, err := ParseConditions(nil); err != nil || !c.IsZero() {
		t.Errorf("nil: %v, %v", c, err)
	}
}

func TestO4_IPAllowlist(t *testing.T) {
	for _, tt := range []struct{ list, in, out string }{
		{`["10.0.0.0/8","203.0.113.7"]`, "10.0.0.0 10.255.255.255 203.0.113.7 ::ffff:10.9.9.9 ::ffff:203.0.113.7",
			"11.0.0.0 9.255.255.255 203.0.113.6 203.0.113.8 ::ffff:11.0.0.1 ::10.0.0.1 2001:db8::1"},
		{`["10.1.2.3/8"]`, "10.200.0.1", "11.1.2.3"},
		{`["2001:db8::/32","fd00::7"]`, "2001:db8::1 2001:db8:ffff::1 fd00::7", "2001:db9::1 fd00::8 fd00::7%eth0 10.0.0.1"},
		{`["::ffff:10.0.0.0/104"]`, "10.1.1.1 ::ffff:10.1.1.1", "11.1.1.1"},
		{`["::ffff:203.0.113.7"]`, "203.0.113.7 ::ffff:203.0.113.7", "203.0.113.8"},
		{`["0.0.0.0/0"]`, "1.2.3.4 ::ffff:1.2.3.4", "2001:db8::1"},
		{`["::/0"]`, "2001:db8::1", "1.2.3.4 ::ffff:1.2.3.4"},
	} {
		c := mustConditions(t, `{"ip_allowlist":`+tt.list+`}`)
		for s := range strings.FieldsSeq(tt.in) {
			if !c.Hold(netip.MustParseAddr(s), noon) {
				t.Errorf("%s keeps %s out", tt.list, s)
			}
		}
		for s := range strings.FieldsSeq(tt.out) {
			if c.Hold(netip.MustParseAddr(s), noon) {
				t.Errorf("%s lets %s in", tt.list, s)
			}
		}
		if c.Hold(netip.Addr{}, noon) {
			t.Errorf("%s lets an unknown address in", tt.list)
		}
	}
	if (Conditions{IPAllowlist: []Network{{}}}).Hold(home, noon) {
		t.Error("the zero Network lets somebody in")
	}
}

func TestO4_TimeWindow(t *testing.T) {
	for _, tt := range []struct{ window, in, out string }{ // days: 2026-03-02 is a Monday
		{`{"after":"08:00","before":"20:00","timezone":"UTC"}`,
			"2026-03-04T08:00:00Z 2026-03-04T19:59:59Z 2026-03-04T09:00:00+01:00",
			"2026-03-04T07:59:59Z 2026-03-04T20:00:00Z 2026-03-04T08:30:00+01:00"},
		{`{"after":"22:00","before":"06:00"}`,
			"2026-03-04T22:00:00Z 2026-03-04T00:00:00Z 2026-03-04T05:59:59Z",
			"2026-03-04T06:00:00Z 2026-03-04T21:59:59Z 2026-03-04T12:00:00Z"},
		{`{"after":"22:00","before":"06:00","days":["fri"]}`,
			"2026-03-06T22:00:00Z 2026-03-06T23:59:59Z 2026-03-07T00:00:00Z 2026-03-07T05:59:59Z",
			"2026-03-06T05:00:00Z 2026-03-07T06:00:00Z 2026-03-07T22:00:00Z"},
		{`{"after":"22:00","before":"06:00","days":["sat"]}`, "2026-03-08T01:00:00Z", "2026-03-07T01:00:00Z"},
		{`{"after":"18:00"}`, "2026-03-04T18:00:00Z 2026-03-04T23:59:59Z", "2026-03-04T17:59:59Z 2026-03-04T00:00:00Z"},
		{`{"before":"06:30"}`, "2026-03-04T00:00:00Z 2026-03-04T06:29:59Z", "2026-03-04T06:30:00Z"},
		{`{"after":"08:00","before":"00:00"}`, "2026-03-04T23:59:59Z", "2026-03-04T00:00:00Z"},
		{`{"days":["mon","sun"]}`, "2026-03-02T00:00:00Z 2026-03-08T23:59:59Z", "2026-03-03T00:00:00Z 2026-03-07T23:59:59Z"},
		// It is already Thursday in Tokyo.
		{`{"days":["thu"],"timezone":"Asia/Tokyo"}`, "2026-03-04T15:00:00Z", "2026-03-04T14:59:59Z 2026-03-05T15:00:00Z"},
		// The wall clock decides: Zurich is UTC+1 in winter and UTC+2 in summer.
		{`{"after":"08:00","before":"09:00","timezone":"Europe/Zurich"}`,
			"2026-01-15T07:30:00Z 2026-07-15T06:30:00Z", "2026-01-15T06:30:00Z 2026-07-15T07:30:00Z"},
		{`{"after":"08:00","before":"09:00","timezone":"Asia/Kathmandu"}`, "2026-01-15T02:15:00Z", "2026-01-15T02:14:59Z"},
	} {
		c := mustConditions(t, `{"time_window":`+tt.window+`}`)
		at := func(s string) time.Time {
			v, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for s := range strings.FieldsSeq(tt.in) {
			if !c.Hold(netip.Addr{}, at(s)) {
				t.Errorf("%s is closed at %s", tt.window, s)
			}
		}
		for s := range strings.FieldsSeq(tt.out) {
			if c.Hold(netip.Addr{}, at(s)) {
				t.Errorf("%s is open at %s", tt.window, s)
			}
		}
	}
	if (Conditions{TimeWindow: &TimeWindow{}}).Hold(home, noon) {
		t.Error("the zero TimeWindow is open")
	}
}

func TestO4_AllKeysMustHold(t *testing.T) {
	c := mustConditions(t, `{"ip_allowlist":["10.0.0.0/8"],"time_window":{"after":"08:00","before":"20:00"}}`)
	away, night := netip.MustParseAddr("192.0.2.1"), noon.Add(10*time.Hour)
	for _, tt := range []struct {
		ip   netip.Addr
		now  time.Time
		want bool
	}{{home, noon, true}, {away, noon, false}, {home, night, false}, {away, night, false}} {
		if got := c.Hold(tt.ip, tt.now); got != tt.want {
			t.Errorf("Hold(%v, %v) = %v", tt.ip, tt.now, got)
		}
	}
}

func TestO4_Refused(t *testing.T) {
	for _, tt := range []struct{ raw, field string }{
		{`[]`, "conditions"},
		{`"x"`, "conditions"},
		{`true`, "conditions"},
		{`{`, "conditions"},
		{`{} {}`, "conditions"},
		{`{"time_window":{"after":"08:00",}}`, "conditions"},
		{`{"mfa":true}`, "conditions"},
		{`{"mfa":null}`, "conditions"},
		{`{"":1}`, "conditions"},
		{`{"IP_Allowlist":["10.0.0.0/8"]}`, "conditions"},
		{`{"ip_allowlist":["10.0.0.1"],"ip_allowlist":["0.0.0.0/0"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["10.0.0.1"],"ip_allow\u006cist":null}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":"10.0.0.1"}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":[]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":[null]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":[1]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":[""]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["10.0.0.0/33"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["10.0.0.0/08"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["010.0.0.1"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":[" 10.0.0.1"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["10.0.0"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["fe80::1%eth0"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["::ffff:10.0.0.0/90"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["example.com"]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["10.0.0.1"` + strings.Repeat(`,"10.0.0.1"`, maxNetworks) + `]}`, "conditions.ip_allowlist"},
		{`{"ip_allowlist":["` + strings.Repeat("1", maxConditions) + `"]}`, "conditions"},
		{`{"time_window":[]}`, "conditions.time_window"},
		{`{"time_window":{}}`, "conditions.time_window"},
		{`{"time_window":{"timezone":"UTC"}}`, "conditions.time_window"},
		{`{"time_window":{"After":"08:00"}}`, "conditions.time_window"},
		{`{"time_window":{"after":"08:00","until":"09:00"}}`, "conditions.time_window"},
		{`{"time_window":{"after":"08:00","after":"09:00"}}`, "conditions.time_window.after"},
		{`{"time_window":{"after":"08:00","before":"08:00"}}`, "conditions.time_window"},
		{`{"time_window":{"after":"8:00"}}`, "conditions.time_window.after"},
		{`{"time_window":{"after":"08:0"}}`, "conditions.time_window.after"},
		{`{"time_window":{"after":"08:00:00"}}`, "conditions.time_window.after"},
		{`{"time_window":{"after":8}}`, "conditions.time_window.after"},
		{`{"time_window":{"after":""}}`, "conditions.time_window.after"},
		{`{"time_window":{"before":"24:00"}}`, "conditions.time_window.before"},
		{`{"time_window":{"before":"12:60"}}`, "conditions.time_window.before"},
		{`{"time_window":{"after":"08:00","timezone":""}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"Local"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"localtime"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"right/UTC"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"Mars/Olympus"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"Europe//Zurich"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"../etc/passwd"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"after":"08:00","timezone":"/etc/localtime"}}`, "conditions.time_window.timezone"},
		{`{"time_window":{"days":[]}}`, "conditions.time_window.days"},
		{`{"time_window":{"days":["Mon"]}}`, "conditions.time_window.days"},
		{`{"time_window":{"days":["monday"]}}`, "conditions.time_window.days"},
		{`{"time_window":{"days":[null]}}`, "conditions.time_window.days"},
		{`{"time_window":{"days":"mon"}}`, "conditions.time_window.days"},
	} {
		name := tt.raw[:min(len(tt.raw), 80)]
		c, err := ParseConditions(json.RawMessage(tt.raw))
		f := fault.As(err)
		if !errors.Is(err, ErrConditions) || f.Kind != fault.Invalid || !c.IsZero() {
			t.Errorf("%s: %v, %v, want ErrConditions", name, c, err)
			continue
		}
		if _, ok := f.Fields[tt.field]; !ok || len(f.Fields) != 1 || !strings.Contains(f.Msg, tt.field) {
			t.Errorf("%s: fields %v, message %q, want %s named", name, f.Fields, f.Msg, tt.field)
		}
	}
}

func TestO4_RefusalIsShort(t *testing.T) {
	_, err := ParseConditions(json.RawMessage(`{"` + strings.Repeat("ü", 5000) + `":1}`))
	if f := fault.As(err); f == nil || len(f.Msg) > 200 {
		t.Errorf("a long unknown key gives %d bytes of message", len(err.Error()))
	}
}

func TestO4_RoundTrip(t *testing.T) {
	for _, raw := range []string{
		`{"ip_allowlist":["10.0.0.0/8","203.0.113.7"],"time_window":{"after":"08:00","before":"20:00","timezone":"UTC"}}`,
		`{"ip_allowlist":["10.1.2.3/8","2001:DB8:0::1","::ffff:10.0.0.1","10.1.2.3/8"]}`,
		`{"time_window":{"after":"22:00","before":"06:00","timezone":"Asia/Calcutta","days":["fri","mon","fri"]}}`,
		`{"time_window":{"days":["sun"]}}`,
		`{}`,
	} {
		var c Conditions
		if err := json.Unmarshal([]byte(raw), &c); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if b, err := json.Marshal(c); err != nil || string(b) != raw {
			t.Errorf("%s comes back as %s, %v", raw, b, err)
		}
	}
}

func FuzzParseConditions(f *testing.F) {
	for _, s := range []string{
		`{"ip_allowlist":["10.0.0.0/8","::1"],"time_window":{"after":"22:00","before":"06:00","timezone":"Europe/Zurich","days":["mon"]}}`,
		`{"ip_allowlist":["::ffff:1.2.3.4/97"]}`, `{"time_window":{"before":"01:00"}}`, `null`, `{"a":{}}`,
	} {
		f.Add([]byte(s), uint32(0x0a010203), int64(1772625600))
	}
	f.Fuzz(func(t *testing.T, raw []byte, ip4 uint32, unix int64) {
		c, err := ParseConditions(raw)
		if err != nil {
			if !errors.Is(err, ErrConditions) || !c.IsZero() {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConditions(b)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%s reads back as %v, %v", b, again, err)
		}
		ip := netip.AddrFrom4([4]byte{byte(ip4 >> 24), byte(ip4 >> 16), byte(ip4 >> 8), byte(ip4)})
		now := time.Unix(unix%(1<<40), 0)
		held := c.Hold(ip, now)
		if mapped := netip.AddrFrom16(ip.As16()); c.Hold(mapped, now) != held {
			t.Fatalf("%s: %v and %v differ", b, ip, mapped)
		}
		if len(c.IPAllowlist) > 0 && c.Hold(netip.Addr{}, now) {
			t.Fatalf("%s lets an unknown address in", b)
		}
	})
}

func BenchmarkUnmarshalConditions(b *testing.B) {
	raw := []byte(`{"ip_allowlist":["10.0.0.0/8"],"time_window":{"after":"08:00","before":"20:00","timezone":"Europe/Zurich"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseConditions(raw); err != nil {
			b.Fatal(err)
		}
	}
}
