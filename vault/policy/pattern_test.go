package policy

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/fault"
)

func mustPattern(t testing.TB, s string) Pattern {
	t.Helper()
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatalf("ParsePattern(%q): %v", s, err)
	}
	return p
}

func TestO3_Glob(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		match    []string
		mismatch []string
	}{
		{"api-keys/stripe", []string{"api-keys/stripe"},
			[]string{"api-keys", "api-keys/stripe/a", "api-keys/Stripe", "api-keys/stripe2", "x/api-keys/stripe"}},
		{"api-keys/*", []string{"api-keys/a", "api-keys/b-c_d"}, []string{"api-keys", "api-keys/a/b", "api-keys2/a"}},
		{"*", []string{"a", "abc"}, []string{"a/b"}},
		{"*/*", []string{"a/b"}, []string{"a", "a/b/c"}},
		{"**", []string{"a", "a/b", "a/b/c/d/e"}, nil},
		{"**/**", []string{"a", "a/b"}, nil},
		{"prod/**", []string{"prod", "prod/a", "prod/a/b"}, []string{"production", "prod2/a", "Prod/a", "a/prod"}},
		{"**/prod", []string{"prod", "a/prod", "a/b/prod"}, []string{"prod/a", "aprod", "a/xprod"}},
		{"a/**/z", []string{"a/z", "a/b/z", "a/b/c/z", "a/z/z"}, []string{"a", "z", "a/zz", "a/z/y"}},
		{"a/**/b/**/c", []string{"a/b/c", "a/x/b/b/y/c", "a/b/b/c/c"}, []string{"a/c/b", "a/c"}},
		{"**/*", []string{"a", "a/b"}, nil},
		{"*/**", []string{"a", "a/b"}, nil},
		{"**/a/*/b/**", []string{"a/x/b", "a/a/x/b", "a/a/b/q", "q/a/a/a/b/b/b"}, []string{"a/b", "a/x/y/b"}},
		{"key-*", []string{"key-a", "key-a-b"}, []string{"key", "xkey-a", "key-a/b"}},
		{"a/key-*/b", []string{"a/key-/b", "a/key-1/b"}, []string{"a/key/b", "a/key-1/2/b"}},
		{"*-key", []string{"a-key", "key-key"}, []string{"-key", "key", "a-keys"}},
		{"a*b*c", []string{"abc", "aXbYc", "abbcc", "abcbc"}, []string{"ab", "ac", "abcd", "acb", "a/b/c"}},
		{"a*a", []string{"aa", "aba", "aaa"}, []string{"a", "ab"}},
		{"*ab*ba*", []string{"abba", "xabba", "abxbay"}, []string{"aba", "ab"}},
		// Everything else is literal: no classes, alternatives, escapes or dots.
		{"a?", nil, []string{"ab", "a"}},
		{"[ab]", nil, []string{"a", "b"}},
		{"{a,b}", nil, []string{"a", "b"}},
		{`\*`, nil, []string{"a"}},
		{"a.b", nil, []string{"a-b", "axb"}},
	} {
		p := mustPattern(t, tt.pattern)
		for _, path := range tt.match {
			if !p.Match(path) {
				t.Errorf("%q does not match %q", tt.pattern, path)
			}
		}
		for _, path := range tt.mismatch {
			if p.Match(path) {
				t.Errorf("%q matches %q", tt.pattern, path)
			}
		}
	}
}

func TestO3_PatternsRefused(t *testing.T) {
	for _, s := range []string{
		"", "/", "/a", "a/", "a//b", "//", ".", "..", "a/./b", "a/../b", "../a", "**/..",
		"a\x00b", "a\nb", "a\x7f", "a\u0085b", "a\xffb",
		"a**", "**a", "a/***", "a/b**c/d", strings.Repeat("a", MaxLength+1),
	} {
		_, err := ParsePattern(s)
		if !errors.Is(err, ErrPattern) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParsePattern(%q) = %v, want ErrPattern", s, err)
		}
	}
	for _, s := range []string{"a", "*", "**", "...", "a/.b", "ä/*", "a b", strings.Repeat("a", MaxLength)} {
		mustPattern(t, s)
	}
}

func TestPatternText(t *testing.T) {
	in := []Pattern{mustPattern(t, "prod/**"), mustPattern(t, "a/key-*")}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `["prod/**","a/key-*"]` {
		t.Fatalf("Marshal = %s, %v", b, err)
	}
	var out []Pattern
	if err := json.Unmarshal(b, &out); err != nil || len(out) != 2 || out[0] != in[0] || out[1] != in[1] {
		t.Errorf("Unmarshal = %v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`["a//b"]`), &out); !errors.Is(err, ErrPattern) {
		t.Errorf("Unmarshal of a bad pattern = %v, want ErrPattern", err)
	}
	if _, err := (Pattern{}).MarshalText(); !errors.Is(err, ErrPattern) {
		t.Errorf("MarshalText of the zero Pattern = %v, want ErrPattern", err)
	}
	if (Pattern{}).Match("a") || (Pattern{}).Match("") {
		t.Error("the zero Pattern matches something")
	}
}

// published is the path grammar as the API documents it; that empty segments
// and overlong paths are refused is ours.
var published = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_\-/]*[a-zA-Z0-9]$|^[a-zA-Z0-9]$`)

func canonicalSlow(path string) bool {
	return published.MatchString(path) && !strings.Contains(path, "//") &&
		len(path) <= 512 && !strings.HasSuffix(path, "\n")
}

func TestS2_CanonicalPath(t *testing.T) {
	for _, path := range []string{"a", "A9", "a/b", "a-/_b/c", "a_-b", strings.Repeat("a", 512)} {
		if !CanonicalPath(path) || !mustPattern(t, "**").Match(path) {
			t.Errorf("%q is not canonical", path)
		}
	}
	for _, path := range []string{
		"", "/", "/a", "a/", "a//b", "-a", "a-", "_a", "a/_", "a/./b", "a/../b", "..", "a.b", "a b", " a", "a ",
		"a%2Fb", "a%2fb", `a\b`, "a\x00", "a\n", "ä", "a\u0308", "\uff41", "\u212a", "a*b", "a/**", "a/*", "a+b", "a:b",
		strings.Repeat("a", 513),
	} {
		if CanonicalPath(path) || mustPattern(t, "**").Match(path) {
			t.Errorf("%q is canonical", path)
		}
	}
}

// patternRegexp is an independent reading of O3: with a slash put before each
// segment of the path, ** is any number of /segment and * is one. RE2 takes
// time linear in the path, so it can be asked anything.
func patternRegexp(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for seg := range strings.SplitSeq(pattern, "/") {
		switch seg {
		case "**":
			b.WriteString("(?:/[^/]+)*")
		case "*":
			b.WriteString("/[^/]+")
		default:
			b.WriteString("/" + strings.ReplaceAll(regexp.QuoteMeta(seg), `\*`, "[^/]*"))
		}
	}
	return regexp.MustCompile("(?s)" + b.String() + "$")
}

// fold maps arbitrary bytes to a small alphabet, so that fuzzed patterns and
// paths have a chance to meet.
func fold(s, alphabet string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = alphabet[int(c)%len(alphabet)]
	}
	return string(b)
}

func FuzzPatternMatch(f *testing.F) {
	for _, s := range [][2]string{
		{"**", "a"}, {"prod/**", "prod"}, {"a/**/b/*", "a/b/b/b"}, {"a*b*/**", "aabb/b"}, {"*/**/*", "a/b"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		check := func(pattern, path string) {
			p, err := ParsePattern(pattern)
			if err != nil {
				return
			}
			want := canonicalSlow(path) && patternRegexp(pattern).MatchString("/"+path)
			if got := p.Match(path); got != want {
				t.Fatalf("%q.Match(%q) = %v, want %v", pattern, path, got, want)
			}
		}
		check(pattern, path)
		check(fold(pattern, "a*/b*a"), fold(path, "ab/a"))
		folded := strings.ReplaceAll(fold(pattern, "aS/bT/"), "S", "*")
		check(strings.ReplaceAll(folded, "T", "**"), fold(path, "ab/"))
	})
}

// TestO3_PatternSteps bounds the comparisons on patterns where trying every
// split would take longer than the universe has.
func TestO3_PatternSteps(t *testing.T) {
	rep := strings.Repeat
	for _, tt := range []struct{ name, pattern, path string }{
		{"stars in segments", "**" + rep("/*a*/**", 60) + "/b", rep("a/", 255) + "a"},
		{"blocks that nearly fit", rep("**/a/a/a/b/", 40) + "c", rep("a/a/a/", 80) + "a"},
		{"one long block", "**/" + rep("a/", 120) + "b", rep("a/", 255) + "a"},
		{"only **", rep("**/", 150) + "b", rep("a/", 255) + "a"},
		{"one segment", rep("a*", 250) + "b", rep("a", 512)},
		{"segment of pairs", "**/" + rep("*ab", 160) + "c", rep("ab", 256)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPattern(t, tt.pattern)
			if p.Match(tt.path) || !CanonicalPath(tt.path) {
				t.Fatal("want a canonical path that does not match")
			}
			_, steps := match(tt.pattern, tt.path)
			if bound := len(tt.pattern) * len(tt.path); steps > bound {
				t.Errorf("%d comparisons, want at most %d", steps, bound)
			}
			_, double := match(tt.pattern, tt.path+"/"+tt.path)
			if bound := 4*steps + 1000; double > bound {
				t.Errorf("a path twice as long takes %d comparisons instead of %d", double, steps)
			}
		})
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p := mustPattern(t, "**/a*b/*/c/**")
	if n := testing.AllocsPerRun(100, func() { p.Match("x/axb/y/c/d/e") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, bb := range []struct{ name, pattern, path string }{
		{"literal", "prod/database/primary/password", "prod/database/primary/password"},
		{"prefix", "prod/**", "prod/database/primary/password"},
		{"partial", "prod/*/key-*", "prod/database/key-primary"},
		{"miss", "staging/**", "prod/database/primary/password"},
		{"pathological", "**" + strings.Repeat("/*a*/**", 60) + "/b", strings.Repeat("a/", 255) + "a"},
	} {
		p := mustPattern(b, bb.pattern)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(bb.path)
			}
		})
	}
}
