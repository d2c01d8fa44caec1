package update

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// release is a bundle in memory, and what it was made of.
type release struct {
	private, public string
	manifest        Manifest
	contents        map[string]string
	paths           []string
	raw             []byte
}

func newRelease(t testing.TB) *release {
	t.Helper()
	r := &release{contents: map[string]string{
		"oneclawd-linux-amd64": strings.Repeat("binary ", 1000), "oneclawd_1.3.0_amd64.deb": "package", "SHA256SUMS": "",
	}}
	var err error
	if r.private, r.public, err = NewKey("release"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"oneclawd-linux-amd64", "oneclawd_1.3.0_amd64.deb", "SHA256SUMS"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(r.contents[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		r.paths = append(r.paths, path)
	}
	r.manifest = Manifest{Version: "v1.3.0", Commit: "abc", OS: "linux", Arch: "amd64", Schema: Schema{1, 2}, UpgradeFrom: "v1.0.0"}
	r.raw = r.write(t)
	return r
}

func (r *release) write(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, r.manifest, r.paths, r.private); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// kept collects what Read hands out.
type kept map[string]*bytes.Buffer

type closing struct{ *bytes.Buffer }

func (closing) Close() error { return nil }

func (k kept) open(f File) (io.WriteCloser, error) {
	k[f.Name] = new(bytes.Buffer)
	return closing{k[f.Name]}, nil
}

func TestBundle(t *testing.T) {
	r := newRelease(t)
	if !bytes.Equal(r.raw, r.write(t)) {
		t.Error("the same files give other bytes")
	}
	_, other, err := NewKey("other")
	if err != nil {
		t.Fatal(err)
	}
	files := kept{}
	b, err := Read(bytes.NewReader(r.raw), []string{other, r.public}, files.open)
	if err != nil {
		t.Fatal(err)
	}
	if b.Manifest.Version != "v1.3.0" || b.Manifest.Package() != "oneclawd_1.3.0_amd64.deb" || len(b.SignedBy) != 1 ||
		!strings.HasPrefix(r.public, b.SignedBy[0]+"+") {
		t.Errorf("%+v", b)
	}
	for name, want := range r.contents {
		if got := files[name]; got == nil || got.String() != want {
			t.Errorf("%s came out as %v", name, got)
		}
	}
}

// handMade is an archive that Write would not make: the manifest signed as it is,
// and the members as given.
func (r *release) handMade(t testing.TB, m Manifest, members ...*tar.Header) []byte {
	t.Helper()
	text, err := m.text()
	if err != nil {
		t.Fatal(err)
	}
	return r.sign(t, text, members...)
}

func (r *release) sign(t testing.TB, text string, members ...*tar.Header) []byte {
	t.Helper()
	signer, err := note.NewSigner(r.private)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	write := func(h *tar.Header, body []byte) {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	write(member(manifestName, int64(len(signed))), signed)
	for _, h := range members {
		write(h, make([]byte, h.Size))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zeros is a manifest of one file of n zero bytes.
func (r *release) zeros(t testing.TB, name string, n int) Manifest {
	t.Helper()
	f, err := describe(name, bytes.NewReader(make([]byte, n)))
	if err != nil {
		t.Fatal(err)
	}
	m := r.manifest
	m.Files = []File{f}
	return m
}

func TestBadBundlesAreRefused(t *testing.T) {
	r := newRelease(t)
	_, other, err := NewKey("release") // of the same name
	if err != nil {
		t.Fatal(err)
	}
	good := r.zeros(t, "a", 600)
	big := good
	big.Files = []File{{Name: "a", Size: maxFileSize + 1, SHA256: good.Files[0].SHA256}}
	twice := good
	twice.Files = append(twice.Files, good.Files...)
	noSchema := good
	noSchema.Schema = Schema{}
	text, err := good.text()
	if err != nil {
		t.Fatal(err)
	}
	link := member("a", 0)
	link.Typeflag, link.Linkname = tar.TypeSymlink, "/etc/passwd"
	pax := member("a", 600)
	pax.Format, pax.PAXRecords = tar.FormatPAX, map[string]string{"comment": "hidden"}
	flipped := bytes.Clone(r.raw)
	flipped[bytes.Index(flipped, []byte("binary"))] ^= 1
	altered := bytes.Replace(r.raw, []byte("v1.3.0"), []byte("v1.4.0"), 1)
	for name, c := range map[string]struct {
		raw  []byte
		keys []string
		want error
		says string
	}{
		"good by hand":         {r.handMade(t, good, member("a", 600)), nil, nil, ""},
		"nothing":              {nil, nil, ErrDamaged, "begin with a manifest"},
		"no archive":           {bytes.Repeat([]byte("x"), 2000), nil, ErrDamaged, "begin with a manifest"},
		"another key":          {r.raw, []string{other}, ErrUntrusted, "not signed by a key that is trusted"},
		"no key":               {r.raw, []string{}, ErrUntrusted, "not signed"},
		"a flipped byte":       {flipped, nil, ErrDamaged, "not the file that was signed"},
		"another version":      {altered, nil, ErrUntrusted, "altered"},
		"a byte more":          {append(bytes.Clone(r.raw), 0), nil, ErrDamaged, "follows its end"},
		"a block more":         {append(bytes.Clone(r.raw), make([]byte, block)...), nil, ErrDamaged, "follows its end"},
		"a byte less":          {r.raw[:len(r.raw)-1], nil, ErrDamaged, ""},
		"no end":               {r.raw[:len(r.raw)-2*block], nil, ErrDamaged, "takes"},
		"a file missing":       {r.handMade(t, good), nil, ErrDamaged, "a is missing"},
		"a file too many":      {r.handMade(t, good, member("a", 600), member("b", 1)), nil, ErrDamaged, "follows the files"},
		"another file":         {r.handMade(t, good, member("b", 600)), nil, ErrDamaged, "where it was signed to"},
		"a shorter file":       {r.handMade(t, good, member("a", 599)), nil, ErrDamaged, "where it was signed to"},
		"a link":               {r.handMade(t, r.zeros(t, "a", 0), link), nil, ErrDamaged, "where it was signed to"},
		"hidden words":         {r.handMade(t, good, pax), nil, ErrDamaged, "takes"},
		"a path":               {r.handMade(t, r.zeros(t, "../a", 1), member("../a", 1)), nil, ErrDamaged, "names a file"},
		"an absolute path":     {r.handMade(t, r.zeros(t, "/a", 1), member("/a", 1)), nil, ErrDamaged, "names a file"},
		"a dot file":           {r.handMade(t, r.zeros(t, ".a", 1), member(".a", 1)), nil, ErrDamaged, "names a file"},
		"the manifest's name":  {r.handMade(t, r.zeros(t, manifestName, 1), member(manifestName, 1)), nil, ErrDamaged, "names a file"},
		"a file twice":         {r.handMade(t, twice, member("a", 600), member("a", 600)), nil, ErrDamaged, "names a file"},
		"too large":            {r.handMade(t, big, member("a", 600)), nil, ErrDamaged, "names a file"},
		"no files":             {r.handMade(t, r.manifest), nil, ErrDamaged, "0 files"},
		"no schema":            {r.handMade(t, noSchema, member("a", 600)), nil, ErrDamaged, "schemas"},
		"another kind of note": {r.sign(t, "oneclawd backup 1\n{}\n"), nil, ErrDamaged, "another form"},
		"no JSON":              {r.sign(t, title+"x\n"), nil, ErrDamaged, "cannot be read"},
		"an unknown field":     {r.sign(t, title+`{"x":1}`+"\n"), nil, ErrDamaged, "cannot be read"},
		"another spelling":     {r.sign(t, strings.Replace(text, "{", "{ ", 1), member("a", 600)), nil, ErrDamaged, "canonical"},
		"a long manifest":      {r.sign(t, title+strings.Repeat("x", maxManifest)+"\n"), nil, ErrDamaged, "begin with a manifest"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := c.keys
			if keys == nil {
				keys = []string{r.public}
			}
			_, err := Read(bytes.NewReader(c.raw), keys, kept{}.open)
			if !errors.Is(err, c.want) || c.want != nil && !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Every byte of a bundle counts, but for those of the headers that nobody uses.
func TestEveryByteIsSigned(t *testing.T) {
	r := newRelease(t)
	for i := range r.raw {
		damagedCopy := bytes.Clone(r.raw)
		damagedCopy[i] ^= 0x20
		files := kept{}
		if _, err := Read(bytes.NewReader(damagedCopy), []string{r.public}, files.open); err != nil {
			continue
		}
		for name, want := range r.contents {
			if files[name].String() != want {
				t.Fatalf("byte %d: %s came out altered", i, name)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	m := Manifest{Version: "v1.3.0", OS: "linux", Arch: "amd64", Schema: Schema{2, 4}, UpgradeFrom: "v1.1.0"}
	for name, c := range map[string]struct {
		here Here
		want error
		says string
	}{
		"older":                  {Here{"v1.2.9", "linux", "amd64", 3}, nil, ""},
		"the same":               {Here{"v1.3.0", "linux", "amd64", 4}, nil, ""},
		"commits after older":    {Here{"v1.2.0-17-gabcdef", "linux", "amd64", 3}, nil, ""},
		"a candidate of it":      {Here{"v1.3.0-rc.1", "linux", "amd64", 3}, nil, ""},
		"commits after it":       {Here{"v1.3.0-1-gabcdef-dirty", "linux", "amd64", 4}, ErrDowngrade, "older than this one"},
		"newer":                  {Here{"v1.10.0", "linux", "amd64", 4}, ErrDowngrade, "older than this one, v1.10.0"},
		"no version":             {Here{"dev", "linux", "amd64", 3}, ErrUnfit, "v1.1.0 or newer"},
		"too old":                {Here{"v1.0.9", "linux", "amd64", 3}, ErrUnfit, "v1.1.0 or newer, and this is v1.0.9"},
		"another processor":      {Here{"v1.2.0", "linux", "arm64", 3}, ErrUnfit, "linux/amd64"},
		"another system":         {Here{"v1.2.0", "darwin", "amd64", 3}, ErrUnfit, "darwin"},
		"data that is too old":   {Here{"v1.2.0", "linux", "amd64", 1}, ErrUnfit, "schema 2 and newer"},
		"data of a newer schema": {Here{"v1.2.0", "linux", "amd64", 5}, ErrDowngrade, "up to schema 4"},
	} {
		if err := m.Judge(c.here); !errors.Is(err, c.want) || c.want != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.UpgradeFrom = ""
	if err := m.Judge(Here{"dev", "linux", "amd64", 3}); !errors.Is(err, ErrDowngrade) || !strings.Contains(err.Error(), "cannot be told") {
		t.Error("no version:", err)
	}
}

func TestKeys(t *testing.T) {
	private, public, err := NewKey("release")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Keys("# ours\n\n  " + public + " \n")
	if err != nil || len(got) != 1 || got[0] != public {
		t.Error(got, err)
	}
	for _, bad := range []string{"x", private, public + "x", public[:len(public)-4]} {
		if _, err := Keys(bad); !errors.Is(err, ErrKey) || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	if _, _, err := NewKey("two words"); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	if err := Write(io.Discard, Manifest{}, nil, public); !errors.Is(err, ErrKey) {
		t.Error("a public key signs:", err)
	}
}

// FuzzRead: whatever is read, it does not panic, and what is taken for good is what
// was signed.
func FuzzRead(f *testing.F) {
	r := newRelease(f)
	f.Add(r.raw)
	f.Add(r.raw[:len(r.raw)-block])
	f.Add(r.handMade(f, r.zeros(f, "a", 600), member("a", 600)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		files := kept{}
		b, err := Read(bytes.NewReader(raw), []string{r.public}, files.open)
		if err != nil {
			return
		}
		for _, m := range b.Manifest.Files {
			again, err := describe(m.Name, bytes.NewReader(files[m.Name].Bytes()))
			if err != nil || again != m {
				t.Errorf("%+v is not %+v", again, m)
			}
		}
	})
}

// FuzzParse: a manifest that is read is written as it was.
func FuzzParse(f *testing.F) {
	r := newRelease(f)
	text, err := r.zeros(f, "a", 3).text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parse(text)
		if err != nil {
			return
		}
		if again, err := m.text(); err != nil || again != text {
			t.Errorf("%q became %q", text, again)
		}
		for _, file := range m.Files {
			if filepath.Base(file.Name) != file.Name || strings.HasPrefix(file.Name, ".") {
				t.Errorf("a file %q", file.Name)
			}
		}
	})
}
