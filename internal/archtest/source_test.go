package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackageDocs fails where a package does not say what it is. One sentence
// repeats the name; it takes two to teach something, save where a package only
// helps tests.
func TestPackageDocs(t *testing.T) {
	for dir, files := range loaded(t).packages() {
		var doc, name string
		for _, f := range files {
			name = f.syntax.Name.Name
			if f.syntax.Doc == nil {
				continue
			}
			if text := f.syntax.Doc.Text(); doc == "" {
				doc = text
			} else if text != "" {
				t.Errorf("%s: the package has a second package comment", f.name)
			}
		}
		begin := "Package " + name + " "
		if name == "main" {
			begin = "Command " + path.Base(dir) + " "
		}
		switch {
		case len(files) == 0:
			t.Errorf("%s: a package of tests needs a doc.go too", dir)
		case doc == "":
			t.Errorf("%s: no package comment", dir)
		case !strings.HasPrefix(doc, begin):
			t.Errorf("%s: the package comment does not begin with %q", dir, begin)
		case sentences(doc) < 2 && !helper(dir):
			t.Errorf("%s: the package comment says too little: %q", dir, doc)
		}
	}
}

var endOfSentence = regexp.MustCompile(`[.:!?)]\s`)

func sentences(doc string) int { return len(endOfSentence.FindAllString(doc+"\n", -1)) }

// TestExportedDocs fails where an exported name has no comment.
func TestExportedDocs(t *testing.T) {
	for _, f := range loaded(t).files {
		if f.test || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", f.at(d), name)
			}
		}
	}
}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Name.IsExported() {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec: // one comment may introduce a group
				if d.Doc != nil || s.Doc != nil || s.Comment != nil {
					continue
				}
				for _, n := range s.Names {
					if n.IsExported() {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether d is a function, or a method of a type that
// others can name.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	var base *ast.Ident // the first one: those after it are type parameters
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && base == nil {
			base = id
		}
		return base == nil
	})
	return base != nil && base.IsExported()
}

// TestReveal keeps the places where a secret is looked at few and listed.
func TestReveal(t *testing.T) {
	used := map[string]bool{}
	for _, f := range loaded(t).files {
		if f.test {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Reveal" {
				return true
			}
			if used[f.name] = true; reveals[f.name] == "" {
				t.Errorf("%s: Reveal is not for this file", f.at(sel))
			}
			return true
		})
	}
	for name := range reveals {
		if !used[name] {
			t.Errorf("%s is listed in reveals and reveals nothing", name)
		}
	}
}

// dialing are the names by which the standard library reaches out.
var dialing = map[string][]string{
	"net": {
		"Dial", "DialTimeout", "DialIP", "DialTCP", "DialUDP", "DialUnix", "Dialer", "DefaultResolver", "Resolver",
		"LookupAddr", "LookupCNAME", "LookupHost", "LookupIP", "LookupMX", "LookupSRV", "LookupTXT",
	},
	"http": {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"tls":  {"Dial", "DialWithDialer", "Dialer"},
	"smtp": {"Dial", "SendMail"},
}

// TestOneWayOut: a connection that the policy does not see is a hole in it.
func TestOneWayOut(t *testing.T) {
	for _, f := range loaded(t).files {
		if f.test || helper(f.dir) || slices.Contains(dialers, f.dir) {
			continue
		}
		for _, use := range reachesOut(f) {
			t.Errorf("%s: that is for %s", use, strings.Join(dialers, " and "))
		}
	}
}

// reachesOut finds them in f. A pointer is not meant: who takes an *http.Client
// was given one.
func reachesOut(f *source) (uses []string) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if _, pointer := n.(*ast.StarExpr); pointer {
			return false
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(dialing[pkg.Name], sel.Sel.Name) {
			uses = append(uses, f.at(sel)+": "+pkg.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return uses
}

// TestNoInit: what a program does before main, and the order of it, is not to
// be found by reading. Lists are explicit.
func TestNoInit(t *testing.T) {
	for _, f := range loaded(t).files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init; make it a list or a call from main", f.at(fn))
			}
		}
	}
}

// TestSizes keeps convenient places from growing without end.
func TestSizes(t *testing.T) {
	tooLong := map[string]string{}
	for _, f := range loaded(t).files {
		if f.test {
			continue
		}
		if f.lines > maxFileLines {
			tooLong[f.name] = fmt.Sprintf("%s has %d lines; at most %d", f.name, f.lines, maxFileLines)
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := span(f.set, fn); n > maxFunctionLines {
				tooLong[f.name+":"+fn.Name.Name] = fmt.Sprintf("%s: %s has %d lines; at most %d", f.at(fn), fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
	for what, text := range tooLong {
		if oversize[what] == "" {
			t.Error(text)
		}
	}
	for what := range oversize {
		if tooLong[what] == "" {
			t.Errorf("%s is listed in oversize and is not", what)
		}
	}
}

func span(set *token.FileSet, n ast.Node) int {
	return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
}

// TestRulesOfSources plants what the rules above are to find.
func TestRulesOfSources(t *testing.T) {
	const text = `package x

var Loose int

// Group is introduced.
const (
	A = 1
)

type Bare struct{}

type hidden struct{}

func (hidden) Method() {}

type generic[T any] struct{}

func (generic[T]) Method() {}

func (*Bare) Method() {}

func reach(given *http.Client) { net.Dial("tcp", "example.org:25") }
`
	f, err := parse(token.NewFileSet(), "x/x.go", text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range f.syntax.Decls {
		got = append(got, undocumented(d)...)
	}
	if want := []string{"Loose", "Bare", "Method"}; !slices.Equal(got, want) {
		t.Errorf("undocumented: got %q, want %q", got, want)
	}
	if uses := reachesOut(f); len(uses) != 1 || !strings.Contains(uses[0], "net.Dial") {
		t.Errorf("dialing: got %q", uses)
	}
	if n := sentences("Package x is x."); n != 1 {
		t.Errorf("one sentence counts as %d", n)
	}
	if n := sentences("Package x keeps keys. It knows nothing of files.\n"); n != 2 {
		t.Errorf("two sentences count as %d", n)
	}
}
