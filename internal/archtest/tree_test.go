package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/oneclaw/oneclawd"

// source is one Go file.
type source struct {
	name    string // path from the root, with slashes
	dir     string // its package
	test    bool
	lines   int
	imports []string
	syntax  *ast.File
	set     *token.FileSet
}

// at says where a node is.
func (s *source) at(n ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// tree is the module as it is on disk: its Go files and its other texts.
type tree struct {
	root  string
	files []*source
	texts map[string]string // by name, Go files included
}

// packages groups the files that are not tests; a package of tests only is
// there with no files.
func (t *tree) packages() map[string][]*source {
	all := map[string][]*source{}
	for _, f := range t.files {
		files := all[f.dir]
		if !f.test {
			files = append(files, f)
		}
		all[f.dir] = files // known even if this is a test
	}
	return all
}

// load reads the module once for all tests.
var load = sync.OnceValues(func() (*tree, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	t := &tree{root: root, texts: map[string]string{}}
	set := token.NewFileSet()
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			if skipped(name) {
				return fs.SkipDir
			}
			return nil
		}
		return t.add(set, name)
	})
	return t, err
})

func loaded(t *testing.T) *tree {
	t.Helper()
	tr, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// skipped are folders that hold nothing of ours: what git, builds and the
// development daemon keep.
func skipped(name string) bool {
	switch base := path.Base(name); {
	case name == ".":
		return false
	case name == "bin", name == "dev-data", base == "node_modules", base == ".git":
		return true
	}
	return false
}

// maxText is the size up to which a file is looked at as text.
const maxText = 1 << 20

func (t *tree) add(set *token.FileSet, name string) error {
	file := filepath.Join(t.root, filepath.FromSlash(name))
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if strings.ContainsRune(string(raw), 0) {
		return nil // not a text
	}
	t.texts[name] = string(raw)
	if !strings.HasSuffix(name, ".go") || !ours(name) {
		return nil
	}
	s, err := parse(set, name, string(raw))
	if err == nil {
		t.files = append(t.files, s)
	}
	return err
}

// ours reports whether the go command would take a file for part of this
// module: not what is in testdata, hidden, or set aside by an underscore, and
// not the module of the tools.
func ours(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "testdata" || part[0] == '.' || part[0] == '_' {
			return false
		}
	}
	return !strings.HasPrefix(name, "tools/")
}

func parse(set *token.FileSet, name, text string) (*source, error) {
	f, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{
		name: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(text, "\n"), syntax: f, set: set,
	}
	for _, imp := range f.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return nil, err
		}
		s.imports = append(s.imports, p)
	}
	return s, nil
}
