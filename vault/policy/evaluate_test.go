package policy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// num makes recognisable identifiers.
func num(n byte) id.ID { return id.ID{0: 0xA0, 15: n} }

var (
	vaultA, vaultB = num(1), num(2)
	agent          = Principal{Type: Agent, ID: num(10)}
	user           = Principal{Type: User, ID: num(11)}
)

func patterns(t testing.TB, list ...string) []Pattern {
	out := make([]Pattern, len(list))
	for i, s := range list {
		out[i] = mustPattern(t, s)
	}
	return out
}

// grant is a policy of agent in vaultA that allows reading prod/**.
func grant(t testing.TB, n byte, change ...func(*Policy)) Policy {
	p := Policy{
		ID: num(n), Vault: vaultA, Principal: agent, Pattern: mustPattern(t, "prod/**"),
		Permissions: []Permission{Read}, CreatedBy: user.ID, CreatedByType: User, CreatedAt: noon,
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// ask is a request that such a policy allows.
func ask(t testing.TB, change ...func(*Request)) Request {
	r := Request{
		Principal: agent, Vault: vaultA, Scoped: true, Scopes: patterns(t, "prod/**"),
		Path: "prod/db", Any: []Permission{Read}, IP: home, Now: noon,
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func wantRefusal(t *testing.T, what string, d Decision, want *fault.Error) {
	t.Helper()
	if d.Allowed || d.Refusal != want || d.Policies != nil || d.Owner {
		t.Errorf("%s: %+v, want %v", what, d, want)
	}
}

func wantAllowed(t *testing.T, what string, d Decision, by ...id.ID) {
	t.Helper()
	if !d.Allowed || d.Refusal != nil || !slices.Equal(d.Policies, by) || d.Owner != (by == nil) {
		t.Errorf("%s: %+v, want allowed by %v", what, d, by)
	}
}

func TestJ6_CheckOrder(t *testing.T) {
	unbound := func(r *Request) { r.Bound = []id.ID{vaultB} }
	unscoped := func(r *Request) { r.Scopes = nil }
	elsewhere := func(r *Request) { r.Scopes = patterns(t, "dev/**", "*") }
	var none []Policy
	some := []Policy{grant(t, 20)}

	wantRefusal(t, "all three refuse", Evaluate(ask(t, unbound, unscoped), none), ErrNotBound)
	wantRefusal(t, "binding alone", Evaluate(ask(t, unbound), some), ErrNotBound)
	wantRefusal(t, "no scopes, no policy", Evaluate(ask(t, unscoped), none), ErrNoScopes)
	wantRefusal(t, "no scopes", Evaluate(ask(t, unscoped), some), ErrNoScopes)
	wantRefusal(t, "other scopes, no policy", Evaluate(ask(t, elsewhere), none), ErrScopes)
	wantRefusal(t, "other scopes", Evaluate(ask(t, elsewhere), some), ErrScopes)
	wantRefusal(t, "no policy", Evaluate(ask(t), none), ErrInsufficient)
	wantAllowed(t, "all three agree", Evaluate(ask(t), some), num(20))
	wantAllowed(t, "bound", Evaluate(ask(t, func(r *Request) { r.Bound = []id.ID{vaultB, vaultA} }), some), num(20))
}

// TestJ4_Phrases pins what clients search for.
func TestJ4_Phrases(t *testing.T) {
	for _, tt := range []struct {
		err          *fault.Error
		code, phrase string
	}{
		{ErrNotBound, "vault_not_bound", "access denied: this agent is not bound to the vault"},
		{ErrNoScopes, "no_scopes", "no scopes"},
		{ErrScopes, "scopes_do_not_cover", "scopes do not cover"},
		{ErrInsufficient, "insufficient_permissions", "insufficient permissions"},
	} {
		if tt.err.Kind != fault.Denied || tt.err.Code != tt.code || !strings.Contains(strings.ToLower(tt.err.Msg), tt.phrase) {
			t.Errorf("%+v, want %s with %q", tt.err, tt.code, tt.phrase)
		}
	}
}

func TestJ6_PolicyMustFitEntirely(t *testing.T) {
	past, instant, future := noon.Add(-1), noon, noon.Add(1)
	for what, change := range map[string]func(*Policy){
		"other vault":       func(p *Policy) { p.Vault = vaultB },
		"other agent":       func(p *Policy) { p.Principal.ID = num(99) },
		"a user of this id": func(p *Policy) { p.Principal.Type = User },
		"other pattern":     func(p *Policy) { p.Pattern = mustPattern(t, "prod/*/x") },
		"no pattern":        func(p *Policy) { p.Pattern = Pattern{} },
		"other permission":  func(p *Policy) { p.Permissions = []Permission{Write, Delete, Use} },
		"no permission":     func(p *Policy) { p.Permissions = nil },
		"expired":           func(p *Policy) { p.ExpiresAt = &past },
		"expires now":       func(p *Policy) { p.ExpiresAt = &instant },
		"other network":     func(p *Policy) { p.Conditions = mustConditions(t, `{"ip_allowlist":["192.0.2.0/24"]}`) },
		"other time":        func(p *Policy) { p.Conditions = mustConditions(t, `{"time_window":{"after":"13:00"}}`) },
	} {
		wantRefusal(t, what, Evaluate(ask(t), []Policy{grant(t, 20, change)}), ErrInsufficient)
		// O6: the misfit does not stop another policy either.
		wantAllowed(t, what+" beside a fit", Evaluate(ask(t), []Policy{grant(t, 20, change), grant(t, 21)}), num(21))
	}
	wantAllowed(t, "expires later", Evaluate(ask(t), []Policy{grant(t, 20, func(p *Policy) { p.ExpiresAt = &future })}), num(20))
	wantAllowed(t, "all that grant are named", Evaluate(ask(t), []Policy{grant(t, 20), grant(t, 21)}), num(20), num(21))
}

func TestJ7_FencesAreForAgentsOnly(t *testing.T) {
	mine := []Policy{grant(t, 20, func(p *Policy) { p.Principal = user })}
	asUser := ask(t, func(r *Request) {
		r.Principal, r.Scoped, r.Scopes, r.Bound = user, false, nil, []id.ID{vaultB}
	})
	wantAllowed(t, "a user", Evaluate(asUser, mine), num(20))
	forgot := ask(t, func(r *Request) { r.Scoped, r.Scopes = false, nil })
	wantRefusal(t, "an agent with Scoped forgotten", Evaluate(forgot, []Policy{grant(t, 20)}), ErrNoScopes)
}

func TestJ8_Owner(t *testing.T) {
	owns := func(r *Request) { r.Owner, r.Scopes = true, nil }
	wantAllowed(t, "owner", Evaluate(ask(t, owns), nil))
	wantRefusal(t, "owner out of reach",
		Evaluate(ask(t, owns, func(r *Request) { r.Bound = []id.ID{vaultB} }), nil), ErrNotBound)
	wantRefusal(t, "J10: a colleague",
		Evaluate(ask(t, func(r *Request) { r.Principal, r.Scoped = user, false }), nil), ErrInsufficient)
}

func TestS9_AnyOf(t *testing.T) {
	remove := ask(t, func(r *Request) { r.Any = []Permission{Write, Delete} })
	for _, tt := range []struct {
		has  []Permission
		want bool
	}{
		{[]Permission{Delete}, true}, {[]Permission{Write}, true}, {[]Permission{Read, Write}, true},
		{[]Permission{Read}, false}, {[]Permission{Use}, false},
	} {
		d := Evaluate(remove, []Policy{grant(t, 20, func(p *Policy) { p.Permissions = tt.has })})
		if d.Allowed != tt.want {
			t.Errorf("delete with %v: %+v", tt.has, d)
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	for what, change := range map[string]func(*Request){
		"nobody":           func(r *Request) { r.Principal = Principal{} },
		"no id":            func(r *Request) { r.Principal.ID = id.ID{} },
		"unknown type":     func(r *Request) { r.Principal.Type = "root" },
		"no vault":         func(r *Request) { r.Vault = id.ID{} },
		"no permission":    func(r *Request) { r.Any = nil },
		"no path":          func(r *Request) { r.Path = "" },
		"path not unified": func(r *Request) { r.Path = "prod//db" },
	} {
		r := ask(t, change)
		same := grant(t, 20, func(p *Policy) { p.Principal, p.Vault, p.Pattern = r.Principal, r.Vault, mustPattern(t, "**") })
		wantRefusal(t, what, Evaluate(r, []Policy{same}), ErrInsufficient)
		r.Owner = true
		wantRefusal(t, what+", owner", Evaluate(r, []Policy{same}), ErrInsufficient)
	}
}

func TestJ4_J5_Scopes(t *testing.T) {
	past := noon.Add(-time.Hour)
	with := func(s string) Policy {
		return grant(t, 20, func(p *Policy) { p.Pattern = mustPattern(t, s) })
	}
	expired := grant(t, 21, func(p *Policy) { p.Pattern, p.ExpiresAt = mustPattern(t, "old/**"), &past })
	grants := []Policy{with("prod/**"), expired, with("dev/*"), with("prod/**")}
	for _, tt := range []struct {
		what     string
		explicit []string
		grants   []Policy
		want     []string
	}{
		{"J4 explicit", []string{"z/*", "a/**", "z/*"}, grants, []string{"z/*", "a/**"}},
		{"J4 derived", nil, grants, []string{"dev/*", "prod/**"}},
		{"J4 nothing", nil, nil, []string{}},
		{"O5 expired only", nil, []Policy{expired}, []string{}},
		{"J5 labels", []string{"vaults:read", "vault:read", "vault.read", "vaults.write", "tx:sign"}, grants, []string{"dev/*", "prod/**"}},
		{"J5 labels, no policy", []string{"vaults:read"}, nil, []string{}},
		{"J5 label and pattern", []string{"vaults:read", "x/*"}, grants, []string{"x/*"}},
		{"not a label", []string{"vault/read", "vaults"}, grants, []string{"vault/read", "vaults"}},
		{"a typing error does not widen", []string{"prod//db"}, grants, []string{}},
		{"an empty text does not widen", []string{""}, grants, []string{}},
		{"no pattern to derive", nil, []Policy{{}}, []string{}},
	} {
		got := Scopes(tt.explicit, tt.grants, noon)
		if got == nil || !slices.Equal(got, patterns(t, tt.want...)) {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

func TestParsePermissions(t *testing.T) {
	got, err := ParsePermissions([]string{"use", "delete", "read", "delete", "write"})
	if want := []Permission{Read, Write, Delete, Use}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range [][]string{nil, {}, {""}, {"read", "admin"}, {"Read"}, {"read "}, {"*"}} {
		if got, err := ParsePermissions(bad); got != nil || err != ErrPermissions {
			t.Errorf("%q: %v, %v, want ErrPermissions", bad, got, err)
		}
	}
}

// TestPolicyJSON pins the stored form: a policy written by an earlier release
// must read back.
func TestPolicyJSON(t *testing.T) {
	until := noon.Add(time.Hour)
	p := grant(t, 20, func(p *Policy) {
		p.ExpiresAt = &until
		p.Conditions = mustConditions(t, `{"ip_allowlist":["10.0.0.0/8"],"time_window":{"days":["wed"]}}`)
	})
	const want = `{"id":"a0000000-0000-0000-0000-000000000014","vault_id":"a0000000-0000-0000-0000-000000000001",` +
		`"secret_path_pattern":"prod/**","principal":{"type":"agent","id":"a0000000-0000-0000-0000-00000000000a"},` +
		`"permissions":["read"],"conditions":{"ip_allowlist":["10.0.0.0/8"],"time_window":{"days":["wed"]}},` +
		`"expires_at":"2026-03-04T13:00:00Z","created_by":"a0000000-0000-0000-0000-00000000000b",` +
		`"created_by_type":"user","created_at":"2026-03-04T12:00:00Z"}`
	b, err := json.Marshal(p)
	if err != nil || string(b) != want {
		t.Fatalf("%s, %v\nwant %s", b, err, want)
	}
	var back Policy
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("%+v, %v", back, err)
	}
	if b, _ := json.Marshal(grant(t, 20)); !strings.Contains(string(b), `"conditions":{},"created_by"`) {
		t.Errorf("without conditions and expiry: %s", b)
	}
}

// FuzzEvaluateNormalisation: whatever spelling of a path some other layer may
// take for the same secret, at most one of them is ever allowed.
func FuzzEvaluateNormalisation(f *testing.F) {
	for _, s := range [][2]string{
		{"prod/**", "prod/db"}, {"**", "prod//db"}, {"**", "prod/../db"}, {"**", "prod%2Fdb"}, {"prod/*", "PROD/DB"},
		{"**", "/prod"}, {"**", "prod/ "}, {"*", "a\\b"}, {"**", "\u212a"}, {"key-*", "key-*"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, raw string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		grants := []Policy{grant(t, 20, func(q *Policy) { q.Pattern = p })}
		allowed := func(secret string) bool {
			r := ask(t, func(r *Request) { r.Path, r.Scopes = secret, []Pattern{p} })
			d := Evaluate(r, grants)
			r.Owner = true
			if !Evaluate(r, nil).Allowed && d.Allowed {
				t.Fatalf("%q: allowed by policy, refused to the owner", secret)
			}
			return d.Allowed
		}
		for what, normalise := range normalisations {
			if n := normalise(raw); n != raw && allowed(raw) {
				t.Fatalf("%q is allowed and %s makes %q of it", raw, what, n)
			}
		}
		// Case is significant on both sides: swapping it in pattern and path
		// alike changes nothing, in one of them it is another name.
		ascii := strings.IndexFunc(pattern, func(r rune) bool { return r > 127 }) < 0
		if ascii && mustPattern(t, swapCase(pattern)).Match(swapCase(raw)) != p.Match(raw) {
			t.Fatalf("%q and %q: case changes the decision", pattern, raw)
		}
		if other := swapCase(raw); other != raw && !strings.Contains(pattern, "*") && allowed(raw) && allowed(other) {
			t.Fatalf("%q allows both %q and %q", pattern, raw, other)
		}
	})
}

var normalisations = map[string]func(string) string{
	"cleaning":       path.Clean,
	"trimming space": strings.TrimSpace,
	"trimming /":     func(s string) string { return strings.Trim(s, "/") },
	"ToSlash":        func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
	"a C string":     func(s string) string { return strings.SplitN(s, "\x00", 2)[0] },
	"valid UTF-8":    func(s string) string { return strings.ToValidUTF8(s, "\ufffd") },
	"ASCII folding": func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > 127 {
				return 'x'
			}
			return r
		}, s)
	},
	"unescaping": func(s string) string {
		if u, err := url.PathUnescape(s); err == nil {
			return u
		}
		return s
	},
	"query unescaping": func(s string) string {
		if u, err := url.QueryUnescape(s); err == nil {
			return u
		}
		return s
	},
}

func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{5, 500} {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			grants := make([]Policy, n)
			for i := range grants {
				grants[i] = grant(b, byte(i), func(p *Policy) {
					p.Pattern = mustPattern(b, fmt.Sprintf("prod/team-%d/**", i))
					p.Conditions = Conditions{IPAllowlist: []Network{{prefix: netip.MustParsePrefix("10.0.0.0/8")}}}
				})
			}
			r := ask(b, func(r *Request) { r.Path = fmt.Sprintf("prod/team-%d/db/password", n/2) })
			b.ReportAllocs()
			for b.Loop() {
				if !Evaluate(r, grants).Allowed {
					b.Fatal("refused")
				}
			}
		})
	}
}
