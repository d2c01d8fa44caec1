package archtest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	tr := loaded(t)
	for _, f := range tr.files {
		for _, wrong := range checkImports(f) {
			t.Error(wrong)
		}
	}
}

// checkImports says what is wrong with the imports of one file.
func checkImports(f *source) (wrong []string) {
	allowed, known := may[f.dir]
	if !known {
		return []string{fmt.Sprintf("%s: package %s is not in the plan", f.name, f.dir)}
	}
	for _, imp := range f.imports {
		var why string
		local, own := strings.CutPrefix(imp, module+"/")
		switch {
		case own && f.test:
		case own && helper(local) && !helper(f.dir):
			why = "only tests import packages that end in test"
		case own && !slices.Contains(allowed, local):
			why = "the plan has no such edge"
		case own:
		case thirdParty(imp):
			why = checkModule(f, imp)
		default:
			why = checkStandard(f, imp)
		}
		if why != "" {
			wrong = append(wrong, fmt.Sprintf("%s may not import %s: %s", f.name, imp, why))
		}
	}
	return wrong
}

// helper reports whether a package is there to help tests of others. That attest
// ends in test is English.
func helper(pkg string) bool {
	base := path.Base(pkg)
	return strings.HasSuffix(base, "test") && base != "attest"
}

func thirdParty(imp string) bool {
	host, _, _ := strings.Cut(imp, "/")
	return strings.Contains(host, ".")
}

func checkModule(f *source, imp string) string {
	of := func(mod string) bool { return imp == mod || strings.HasPrefix(imp, mod+"/") }
	if slices.ContainsFunc(testsOnly, of) {
		if f.test {
			return ""
		}
		return "it is for tests"
	}
	for mod, owners := range owner {
		if !of(mod) {
			continue
		}
		if slices.Contains(owners, f.dir) || f.test && slices.Contains(tester[mod], f.dir) {
			return ""
		}
		return "it belongs to " + strings.Join(owners, " and ")
	}
	return "it has no owner in the plan"
}

func checkStandard(f *source, imp string) string {
	if f.test {
		return ""
	}
	for _, n := range never {
		if n.imported == imp && strings.HasPrefix(f.dir+"/", n.prefix) {
			return n.why
		}
	}
	return ""
}

// TestPlan holds the plan against itself and against the tree.
func TestPlan(t *testing.T) {
	there := loaded(t).packages()
	for _, pkg := range slices.Sorted(maps.Keys(may)) {
		if _, ok := there[pkg]; !ok && !slices.Contains(planned, pkg) {
			t.Errorf("%s is in the plan but not in the tree", pkg)
		}
		for _, edge := range may[pkg] {
			if _, ok := may[edge]; !ok {
				t.Errorf("%s may import %s, which is not in the plan", pkg, edge)
			}
			if reaches(edge, pkg) {
				t.Errorf("%s may import %s and the other way round", pkg, edge)
			}
		}
		if domain(pkg) {
			for _, edge := range may[pkg] {
				if !domain(edge) && !strings.HasPrefix(edge, "internal/") && edge != "hsm" {
					t.Errorf("%s is domain: it may not import %s", pkg, edge)
				}
			}
		}
	}
	for _, f := range []string{"hsm/broker", "appliance"} {
		if reaches(f, "hsm/pkcs11") {
			t.Errorf("%s reaches hsm/pkcs11, which only the broker's process may run", f)
		}
	}
}

// domain reports whether a package holds rules, or the words that rules are in,
// rather than plumbing.
func domain(pkg string) bool {
	return pkg == "vault" || strings.HasPrefix(pkg, "vault/") || pkg == "intents/evm"
}

// reaches reports whether the plan leads from one package to another.
func reaches(from, to string) bool {
	if from == to {
		return true
	}
	return slices.ContainsFunc(may[from], func(next string) bool { return reaches(next, to) })
}

// TestRulesBite plants a violation of each kind.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct{ name, imp, why string }{
		{"vault/policy/x.go", "go.etcd.io/bbolt", "belongs to store"},
		{"vault/policy/x.go", module + "/store", "no such edge"},
		{"vault/policy/x.go", "net/http", "no transport"},
		{"hsm/broker/x.go", module + "/hsm/pkcs11", "no such edge"},
		{"store/x.go", module + "/store/storetest", "only tests"},
		{"appliance/x.go", module + "/appliance/attest/attesttest", "only tests"},
		{"appliance/attest/x.go", module + "/appliance/attest/attesttest", "only tests"},
		{"store/x.go", "github.com/anishathalye/porcupine/visualization", "for tests"},
		{"store/x_test.go", "github.com/gin-gonic/gin", "belongs to appliance/httpapi"},
		{"appliance/x.go", "example.com/unheard/of", "no owner"},
		{"internal/id/x.go", "math/rand/v2", "crypto/rand"},
		{"util/x.go", "fmt", "not in the plan"},
	} {
		f := &source{name: c.name, dir: path.Dir(c.name), test: strings.HasSuffix(c.name, "_test.go"), imports: []string{c.imp}}
		if wrong := checkImports(f); len(wrong) != 1 || !strings.Contains(wrong[0], c.why) {
			t.Errorf("%s importing %s: got %q, want one line with %q", c.name, c.imp, wrong, c.why)
		}
	}
	for _, c := range []struct{ name, imp string }{
		{"store/x.go", "go.etcd.io/bbolt/errors"},
		{"store/x_test.go", module + "/store/storetest"},
		{"store/x_test.go", "github.com/anishathalye/porcupine"},
		{"hsm/hsmtest/x.go", module + "/hsm/local"},
	} {
		f := &source{name: c.name, dir: path.Dir(c.name), test: strings.HasSuffix(c.name, "_test.go"), imports: []string{c.imp}}
		if wrong := checkImports(f); len(wrong) != 0 {
			t.Errorf("%s importing %s: %q", c.name, c.imp, wrong)
		}
	}
}
