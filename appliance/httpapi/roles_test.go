package httpapi

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

// trial is what one line of docs/roles.md is tried with. The line has the route;
// names in braces in it, and in query and body, are things that make makes.
type trial struct {
	make   func(c *cast, as string) things // nil: there is nothing to make
	query  string
	body   string
	header map[string]string

	each    bool // things are of the caller, or good for one request: made for each caller
	spends  bool // who succeeds is not who they were: they are replaced
	reveals bool // success answers with the canary
	costly  bool // hashes passwords, or reads the whole log: tried by some callers only

	told []string // callers who may know that the things exist, and yet not do this

	shows string   // the thing that a list has
	to    []string // for these callers, and for no others
}

// things are identifiers by their name in a route.
type things map[string]string

// put writes things into a text that names them.
func (th things) put(text string) string {
	for name, is := range th {
		text = strings.ReplaceAll(text, "{"+name+"}", is)
	}
	return text
}

// unlike is things but for one, which does not exist.
func (th things) unlike(name string) things {
	out := maps.Clone(th)
	switch name {
	case "path":
		out[name] = "no/such/path"
	case "version", "index", "number":
		out[name] = "999999"
	case "email":
		out[name] = id.Random().String() + "@example.org"
	case "key":
		out[name] = "x402.none"
	case "chain":
		out[name] = "elsewhere"
	case "user_code":
		out[name] = "BBBB-BBBB"
	default:
		out[name] = id.Random().String()
	}
	return out
}

// trials are those of each line, by what is in its first cell.
func trials() map[string]trial {
	out := map[string]trial{}
	for _, of := range []map[string]trial{
		publicTrials(), vaultTrials(), secretTrials(), shareTrials(), agentTrials(), useTrials(), personTrials(), memberTrials(), siteTrials(), auditTrials(), messageTrials(), chainTrials(), transactionTrials(), signingKeyTrials(),
	} {
		maps.Copy(out, of)
	}
	return out
}

// TestRoles holds the API to docs/roles.md: every operation, asked by every kind
// of caller, and answers that do not tell the refused what there is.
func TestRoles(t *testing.T) {
	l := newLive(t)
	l.tokens["owner"] = l.tokens["key"] // the clock runs ahead of tokens
	t.Cleanup(l.vaults.StopRotations)
	l.orgs = nil // what is logged is for other tests, and there is much of it
	sections := rolesPage(t)
	known, named := trials(), map[string]bool{}
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			l.TB = t
			c := newCast(l)
			for _, r := range s.rows {
				named[r.name] = true
				tr, ok := known[r.name]
				if !ok {
					t.Errorf("nothing is tried for the line of %s: add it to the trials of its resource", r.name)
					continue
				}
				s.compare(t, r, c.try(r.method, r.route, tr))
			}
		})
		l.TB = t
	}
	complete(t, l, sections)
	for name := range known {
		if !named[name] && !t.Failed() {
			t.Errorf("docs/roles.md has no line for %s, which there is a trial for", name)
		}
	}
}

// complete compares the operations of the page with those there are.
func complete(t *testing.T, l *live, sections []roleTable) {
	t.Helper()
	lines := map[string]bool{}
	for _, s := range sections {
		for _, r := range s.rows {
			lines[r.method+" "+r.route] = true
		}
	}
	for _, line := range l.Surface() {
		f := strings.Fields(line)
		operation := f[0] + " " + f[1]
		if !lines[operation] {
			t.Errorf("docs/roles.md says nothing of %s", operation)
		}
		delete(lines, operation)
	}
	for operation := range lines {
		t.Errorf("docs/roles.md has %s, which there is not", operation)
	}
}

// try has every caller ask for an operation, and returns what each got.
func (c *cast) try(method, route string, tr trial) map[string]int {
	c.Helper()
	got := map[string]int{}
	var th things
	for _, as := range c.askers(tr) {
		if tr.make != nil && (th == nil || tr.each) {
			th = tr.make(c, as)
		}
		a := c.ask(method, route, tr, as, th)
		got[as] = a.Code
		if tr.shows != "" && a.Code == 200 {
			if shown := strings.Contains(a.Body.String(), th[tr.shows]); shown != slices.Contains(tr.to, as) {
				c.Errorf("%s %s shows %s {%s}: %v", method, route, as, tr.shows, shown)
			}
		}
		if a.Code == 403 || a.Code == 404 {
			c.alike(method, route, tr, as, th, a)
		}
		if a.Code < 300 && method != get {
			th = nil // it is not what it was
			if tr.spends {
				c.replace(as)
			}
		}
	}
	return got
}

// ask sends one request, whose answer must not have the canary unless it is
// meant to.
func (c *cast) ask(method, route string, tr trial, as string, th things) answered {
	c.Helper()
	th = maps.Clone(th)
	if th == nil {
		th = things{}
	}
	th["self"] = c.is[as].id
	s := step{name: as + " " + method + " " + route, method: method, url: th.put(route + tr.query), as: as, header: tr.header, body: th.put(tr.body)}
	if as == "nobody" {
		s.as = ""
	}
	a := c.send(s)
	if !strings.HasPrefix(route, "/cli/") && a.Code != 200 {
		a.wellFormed(s)
	}
	if !(tr.reveals && a.Code == 200) && strings.Contains(a.Body.String(), canary) {
		c.Errorf("%s: %d with the canary: %s", s.name, a.Code, a.Body)
	}
	return a
}

// alike asks again for things that do not exist. Whoever is refused must get the
// same answer, or it would say which do: but colleagues may know which vaults
// there are (docs/adr/0007).
func (c *cast) alike(method, route string, tr trial, as string, th things, a answered) {
	c.Helper()
	if slices.Contains(tr.told, as) {
		return
	}
	for name := range th {
		named := "{" + name + "}"
		if name == "size" || !strings.Contains(route+tr.query+tr.body, named) || name == "vault_id" && c.is[as].org == c.org {
			continue
		}
		other := th.unlike(name)
		b := c.ask(method, route, tr, as, other)
		if a.Code != b.Code || th.blur(a.Body.String()) != other.blur(b.Body.String()) {
			c.Errorf("%s learns from %s %s whether there is a %s:\n%d %s\n%d %s", as, method, route, named, a.Code, a.Body, b.Code, b.Body)
		}
	}
}

// blur takes out of an answer what the caller sent.
func (th things) blur(body string) string {
	for _, is := range th {
		body = strings.ReplaceAll(body, is, "…")
	}
	return body
}

// roleTable is a table of the page.
type roleTable struct {
	name    string
	columns [][]string // the callers of each
	rows    []roleRow
}

type roleRow struct {
	name, method, route string
	cells               []string
	line                int
}

// label is the line's first cell.
func (r roleRow) label() string {
	operation := r.method + " " + r.route
	return "`" + operation + "`" + strings.TrimPrefix(r.name, operation)
}

var roleCell = regexp.MustCompile("^`([A-Z]+) (\\S+)`(, .+)?$")

// rolesPage reads docs/roles.md.
func rolesPage(t testing.TB) (out []roleTable) {
	t.Helper()
	var s roleTable
	for i, line := range strings.Split(readDoc(t, "roles.md"), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			s = roleTable{name: heading}
			continue
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		if cells[0] == "operation" {
			s.columns, s.rows = columnsOf(t, cells[1:]), nil
			out = append(out, s)
			continue
		}
		if s.columns == nil {
			continue // the legend's
		}
		m := roleCell.FindStringSubmatch(cells[0])
		if m == nil || len(cells) != 1+len(s.columns) {
			t.Fatalf("docs/roles.md:%d is no line of this table: %s", i+1, line)
		}
		last := &out[len(out)-1]
		last.rows = append(last.rows, roleRow{name: m[1] + " " + m[2] + m[3], method: m[1], route: m[2], cells: cells[1:], line: i + 1})
	}
	return out
}

// columnsOf reads a table's head, which has to have a place for every caller but
// those without a good token: they get 401 where a table does not name them.
func columnsOf(t testing.TB, head []string) (out [][]string) {
	t.Helper()
	var all []string
	for _, cell := range head {
		var column []string
		for name := range strings.SplitSeq(cell, ", ") {
			if group, ok := callerGroups[name]; ok {
				column = append(column, group...)
			} else {
				column = append(column, name)
			}
		}
		out, all = append(out, column), append(all, column...)
	}
	want := slices.Clone(callers)
	if !slices.Contains(all, "nobody") {
		want = slices.DeleteFunc(want, func(as string) bool { return slices.Contains(callerGroups["no token"], as) })
	}
	slices.Sort(want)
	slices.Sort(all)
	if !slices.Equal(all, want) {
		t.Fatalf("docs/roles.md: the columns %v are of %v, and not of %v", head, all, want)
	}
	return out
}

// compare says what of a line is not so, and the line as it would be.
func (s roleTable) compare(t *testing.T, r roleRow, got map[string]int) {
	t.Helper()
	shown := map[string]bool{}
	cells := make([]string, len(s.columns))
	for i, column := range s.columns {
		statuses := map[int][]string{}
		for _, as := range column {
			shown[as] = true
			if code, ok := got[as]; ok {
				statuses[code] = append(statuses[code], as)
			}
		}
		cells[i] = cellOf(statuses)
	}
	if !slices.Equal(cells, r.cells) {
		t.Errorf("docs/roles.md:%d is not so. It would be\n| %s | %s |", r.line, r.label(), strings.Join(cells, " | "))
	}
	for as, code := range got {
		if !shown[as] && code != 401 {
			t.Errorf("docs/roles.md:%d: %s: %d for %s, who has no good token", r.line, r.name, code, as)
		}
	}
}

// cellOf is the status that all callers of a column got. If they did not get the
// same, their column has to be divided.
func cellOf(statuses map[int][]string) string {
	var parts []string
	for code, of := range statuses {
		parts = append(parts, fmt.Sprintf("%d (%s)", code, strings.Join(of, ", ")))
		if len(statuses) == 1 {
			return strconv.Itoa(code)
		}
	}
	slices.SortFunc(parts, cmp.Compare[string])
	return "DIVIDE: " + strings.Join(parts, "; ")
}
