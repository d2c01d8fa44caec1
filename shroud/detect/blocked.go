package detect

import (
	"net/url"
	"path"
	"strings"
)

// filesystem finds the paths that the policy blocks, as they stand and in the other ways
// that lead to them.
func (r *reading) filesystem(v place) {
	if !r.policy.config.Filesystem.Enabled || r.policy.paths == nil {
		return
	}
	put := func(start, end int) bool {
		r.add(v, Finding{Type: Filesystem, Pattern: "blocked_path", Severity: High, Score: 1, Why: "the path is one that the policy blocks"}, start, end)
		return r.roomy()
	}
	r.blocked(v.lower, put)
	for start := 0; start < len(v.lower); {
		end := start
		for end < len(v.lower) && !pathEnd[v.lower[end]] {
			end++
		}
		for _, plain := range plainPaths(string(v.lower[start:end])) {
			found := r.policy.matches(plain)
			r.blocked([]byte(plain), func(int, int) bool { found = true; return false })
			if found {
				if !put(start, end) {
					return
				}
				break
			}
		}
		start = end + 1
	}
}

// blocked calls fn for every blocked path in text, until it returns false.
func (r *reading) blocked(text []byte, fn func(start, end int) bool) {
	s := string(text)
	r.policy.paths.scan(text, func(h hit) bool {
		if !wordByte(s, h.start-1) && (s[h.end-1] == '/' || !wordByte(s, h.end)) {
			return fn(h.start, h.end)
		}
		return true
	})
}

// pathEnd has the bytes that no path has without an escape.
var pathEnd = func() (t [256]bool) {
	for _, b := range []byte(" \t\n\r\"'`<>|,;()") {
		t[b] = true
	}
	return t
}()

// rootHome is where the superuser's files are.
const rootHome = "/" + "root"

// homes are ways to write where the files of whoever runs a program are.
var homes = []string{"$home/", "${home}/", "%userprofile%/", "%homepath%/", "$env:userprofile/", rootHome + "/"}

// plainPaths is what a path in small letters means, where it is written otherwise: encoded,
// with steps to nowhere, or from the home of somebody.
func plainPaths(s string) (plain []string) {
	if strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '\\') < 0 && !strings.Contains(s, "%2") {
		return nil
	}
	p := strings.NewReplacer(`\x2f`, "/", `\u002f`, "/", `\x5c`, "/", `\`, "/").Replace(s)
	for range 3 {
		decoded, err := url.PathUnescape(p)
		if err != nil || decoded == p {
			break
		}
		p = strings.ReplaceAll(strings.ToLower(decoded), `\`, "/")
	}
	p = strings.TrimPrefix(p, "file://")
	folder := strings.HasSuffix(p, "/")
	if p = path.Clean(p); folder {
		p += "/"
	}
	if rest, ok := strings.CutPrefix(p, "/proc/"); ok {
		if _, below, ok := strings.Cut(rest, rootHome+"/"); ok {
			p = "/" + below
		}
	}
	if p != s || strings.ContainsAny(p, "*?[") {
		plain = append(plain, p)
	}
	if rest, ok := homeless(p); ok {
		plain = append(plain, "~/"+rest)
	}
	return plain
}

// homeless is what stands behind a home in p.
func homeless(p string) (string, bool) {
	for _, h := range homes {
		if rest, ok := strings.CutPrefix(p, h); ok {
			return rest, true
		}
	}
	if len(p) > 2 && p[1] == ':' {
		p = p[2:]
	}
	for _, all := range []string{"/home/", "/users/"} {
		if rest, ok := strings.CutPrefix(p, all); ok {
			_, rest, ok = strings.Cut(rest, "/")
			return rest, ok
		}
	}
	return "", false
}

// matches reports whether a shell would find a blocked path by the pattern p.
func (p *Policy) matches(pattern string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return false
	}
	for _, blocked := range p.config.Filesystem.BlockedPaths {
		if ok, err := path.Match(pattern, strings.ToLower(strings.TrimSuffix(strings.TrimSpace(blocked), "/"))); ok && err == nil {
			return true
		}
	}
	return false
}
