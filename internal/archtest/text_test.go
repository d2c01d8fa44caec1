package archtest

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoLocalPaths: nothing that is kept may depend on, or tell of, the machine
// of whoever wrote it.
func TestNoLocalPaths(t *testing.T) {
	tr := loaded(t)
	home, _ := os.UserHomeDir()
	private := localPaths(tr.root, home)
	for name, text := range tr.texts {
		for _, found := range private.FindAllString(text, -1) {
			t.Errorf("%s: names a folder of one machine: %s", name, strings.TrimSpace(found))
		}
	}
}

// shared are top-level folders that every machine has: a path below them is
// only local if it leads to this very checkout.
var shared = []string{
	"bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "private", "proc", "root", "run",
	"sbin", "srv", "sys", "tmp", "usr", "var", "Users", "Volumes",
}

// localPaths matches people's home folders, this user's, and where this
// checkout is: all that is beside it, unless that is a folder everybody has.
func localPaths(root, home string) *regexp.Regexp {
	parts := []string{`/home/[a-z]`, `/Users/[A-Za-z]`, `/[r]oot/`}
	if len(home) > 1 && home != "/root" {
		parts = append(parts, regexp.QuoteMeta(home)+`\b`)
	}
	top, _, _ := strings.Cut(strings.TrimPrefix(root, "/"), "/")
	if slices.Contains(shared, top) {
		parts = append(parts, regexp.QuoteMeta(root)+`\b`)
	} else if top != "" {
		parts = append(parts, "/"+regexp.QuoteMeta(top)+`(?:/|\b)`)
	}
	return regexp.MustCompile("(?m)(?:^|[\\s\"'`(=:,])(?:" + strings.Join(parts, "|") + ")")
}

func TestLocalPathsBite(t *testing.T) {
	for _, c := range []struct {
		root, text string
		found      bool
	}{
		{"/elsewhere/checkout", "see `/elsewhere/notes.md`", true},
		{"/elsewhere/checkout", "vaults/elsewhere/x", false},
		{"/tmp/checkout", "in /tmp/checkout/bin", true},
		{"/tmp/checkout", "in /tmp/other", false},
		{"/srv/x", "cd /ho" + "me/ann/src", true},
		{"/srv/x", "cd /ro" + "ot/src", true},
		{"/srv/x", "/usr/lib/softhsm/libsofthsm2.so", false},
		{"/srv/x", "https://host/home/page", false},
	} {
		if got := localPaths(c.root, "").MatchString(c.text); got != c.found {
			t.Errorf("checkout in %s, text %q: found is %v", c.root, c.text, got)
		}
	}
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s#]+)(?:#[^)]*)?\)`)
	quoted = regexp.MustCompile("`([A-Za-z.][A-Za-z0-9_./-]*)`")
)

// TestDocumentsPoint fails where a document points to a file that is not there,
// by a link or by a path in code type. Decision records may: they are of their
// time, and are superseded rather than edited.
func TestDocumentsPoint(t *testing.T) {
	tr := loaded(t)
	exists := func(name string) bool {
		_, err := os.Stat(path.Join(tr.root, name))
		return err == nil
	}
	for name, text := range tr.texts {
		if !strings.HasSuffix(name, ".md") || !ours(name) {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to := path.Join(path.Dir(name), m[1])
			if !strings.Contains(m[1], ":") && !exists(to) && !slices.Contains(planned, to) {
				t.Errorf("%s: links to %s, which is not there", name, m[1])
			}
		}
		if strings.HasPrefix(name, "docs/adr/") {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			top, _, nested := strings.Cut(m[1], "/")
			if nested && exists(top) && top != "bin" && !exists(m[1]) && !slices.Contains(planned, m[1]) {
				t.Errorf("%s: names %s, which is not there", name, m[1])
			}
		}
	}
}

var (
	record = regexp.MustCompile(`^docs/adr/([0-9]{4})-[a-z0-9-]+\.md$`)
	parts  = []string{"## Context", "## Decision", "## Consequences", "## What we gave up"}
)

// TestDecisionRecords holds the records to their form: a number that nobody
// else has, a title that begins with it, four parts, one page.
func TestDecisionRecords(t *testing.T) {
	const page = 80 // lines
	tr := loaded(t)
	seen := map[string]string{}
	for name, text := range tr.texts {
		m := record.FindStringSubmatch(name)
		if m == nil {
			if strings.HasPrefix(name, "docs/adr/") && path.Base(name) != "README.md" {
				t.Errorf("%s is not named NNNN-title.md", name)
			}
			continue
		}
		if other := seen[m[1]]; other != "" {
			t.Errorf("%s and %s have the same number", name, other)
		}
		seen[m[1]] = name
		if !strings.HasPrefix(text, "# "+m[1]+" ") {
			t.Errorf("%s: the title does not begin with %q", name, "# "+m[1])
		}
		at := 0
		for _, part := range parts {
			i := strings.Index(text[at:], "\n"+part+"\n")
			if i < 0 {
				t.Errorf("%s: no %q, or not in its place", name, part)
				break
			}
			at += i
		}
		if n := strings.Count(text, "\n"); n > page {
			t.Errorf("%s has %d lines; a page has %d", name, n, page)
		}
		if index := tr.texts["docs/adr/README.md"]; !strings.Contains(index, path.Base(name)) {
			t.Errorf("%s is not in docs/adr/README.md", name)
		}
	}
}
