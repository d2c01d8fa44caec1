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
	local := localPaths{root: tr.root, home: home, exists: func(name string) bool {
		_, err := os.Lstat(name)
		return err == nil
	}}
	for name, text := range tr.texts {
		for _, found := range local.in(text) {
			t.Errorf("%s: names a path of one machine: %s", name, found)
		}
	}
}

// localPaths finds, in a text, people's home folders, and paths that lead to
// something in this checkout or beside it. That it must be there is what tells
// a path of this machine from a word after a slash: a checkout may well be in
// /check, and a text may well speak of a bot's command /check.
type localPaths struct {
	root, home string
	exists     func(path string) bool
}

var (
	private  = regexp.MustCompile(`^(?:/home/[a-z]|/Users/[A-Za-z]|/[r]oot/)`)
	absolute = regexp.MustCompile("(?m)(?:^|[\\s\"'`(=:,])(/[\\w.-][\\w./-]*)")
)

// shared are folders that every machine has: what is beside a checkout in one
// of them is nobody's in particular.
var shared = []string{"/", "/media", "/mnt", "/opt", "/private", "/srv", "/tmp", "/usr", "/usr/src", "/var", "/var/tmp"}

func (l localPaths) in(text string) (found []string) {
	for _, m := range absolute.FindAllStringSubmatch(text, -1) {
		name := strings.TrimRight(m[1], "./-")
		if private.MatchString(m[1]) || within(l.home, name) || l.ofCheckout(name) {
			found = append(found, name)
		}
	}
	return found
}

func (l localPaths) ofCheckout(name string) bool {
	if beside := path.Dir(l.root); !slices.Contains(shared, beside) {
		return within(beside, name) && l.exists(path.Join(beside, first(beside, name)))
	}
	return within(l.root, name) && l.exists(path.Join(l.root, first(l.root, name)))
}

// within tells whether name is below the folder.
func within(folder, name string) bool {
	return len(folder) > 1 && strings.HasPrefix(name, folder+"/")
}

// first is the part of name right below the folder that it is within.
func first(folder, name string) string {
	part, _, _ := strings.Cut(strings.TrimPrefix(name, folder+"/"), "/")
	return part
}

func TestLocalPathsBite(t *testing.T) {
	there := func(name string) bool {
		return slices.Contains([]string{"/elsewhere/notes.md", "/elsewhere/checkout", "/tmp/checkout/bin", "/bo" + "t/go.mod", "/tmp/other"}, name)
	}
	for _, c := range []struct {
		root, text string
		found      bool
	}{
		{"/elsewhere/checkout", "see `/elsewhere/notes.md`", true},
		{"/elsewhere/checkout", "see /elsewhere/checkout/docs.", true},
		{"/elsewhere/checkout", "POST /elsewhere/v1", false},
		{"/elsewhere/checkout", "vaults/elsewhere/notes.md", false},
		{"/tmp/checkout", "in /tmp/checkout/bin", true},
		{"/tmp/checkout", "in /tmp/other", false},
		{"/bot", "Result of /bot]", false},
		{"/bot", "Result of /bot/all", false},
		{"/bot", "module /bo" + "t/go.mod", true},
		{"/srv/x", "cd /ho" + "me/ann/src", true},
		{"/srv/x", "cd /ro" + "ot/src", true},
		{"/srv/x", "cd /da" + "ta/ann/src", true},
		{"/srv/x", "/usr/lib/softhsm/libsofthsm2.so", false},
		{"/srv/x", "https://host/home/page", false},
	} {
		l := localPaths{root: c.root, home: "/da" + "ta/ann", exists: there}
		if got := l.in(c.text); (len(got) > 0) != c.found {
			t.Errorf("checkout in %s, text %q: found %q", c.root, c.text, got)
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
