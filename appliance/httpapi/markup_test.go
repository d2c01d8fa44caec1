package httpapi

import (
	"io/fs"
	"strings"
	"testing"
)

func TestTextsInPagesAreEscaped(t *testing.T) {
	const hostile = `"><script>alert('{{status}}')</script>&amp;`
	for name, v := range map[string]deviceView{
		"a request": {Code: hostile, Client: hostile},
		"a problem": {Code: hostile, Problem: hostile},
		"no code":   {},
	} {
		page := string(v.page())
		if strings.Contains(page, "<script>") || strings.Contains(page, "alert('") {
			t.Errorf("%s: the text is part of the page: %s", name, page)
		}
		if got, want := strings.Count(page, "&lt;script&gt;alert(&#39;{{status}}&#39;)&lt;/script&gt;&amp;amp;"), strings.Count(v.Code+v.Client+v.Problem, "alert"); got < want {
			t.Errorf("%s: the text is there %d times, not %d: %s", name, got, want, page)
		}
	}
}

// A text comes between tags or in double quotes: escaping makes it safe nowhere else.
func TestPlacesOfPages(t *testing.T) {
	files, err := fs.Glob(pageFiles, "page/*.html")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		page := string(pageFile(name))
		if strings.Contains(page, "<style") || strings.Count(page, "<script") != strings.Count(page, "></script>") {
			t.Errorf("%s has a script or a style inside", name)
		}
		for at := range page {
			if !strings.HasPrefix(page[at:], "{{") {
				continue
			}
			end := at + strings.Index(page[at:], "}}") + 2
			inTag := strings.LastIndexByte(page[:at], '<') > strings.LastIndexByte(page[:at], '>')
			if inTag && (page[at-1] != '"' || page[end] != '"') {
				t.Errorf("%s: %s is in a tag and not in quotes", name, page[at:end])
			}
		}
	}
}

func TestPagesHaveNoPlaceLeft(t *testing.T) {
	l := newLive(t)
	_, user := l.begins()
	for url, has := range map[string]string{
		"/cli/verify": `id="typed"`, "/cli/verify?code=" + user: `id="client"`, "/cli/verify?code=x": "This is not a code",
		"/verify-email": "Confirm your address", "/reset-password": `id="forgot"`, "/accept-invite": `id="name"`,
		"/approvals/x": `id="signin"`, "/secrets/new": `id="signin"`,
	} {
		if page := l.send(step{url: url}).Body.String(); strings.Contains(page, "{{") || !strings.Contains(page, has) {
			t.Errorf("%s: %s", url, page)
		}
	}
}
