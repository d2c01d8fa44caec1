package update

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// title begins the text that is signed: no other note of this project has it.
const title = "oneclawd update 1\n"

// Bounds of what is read before, or on the word of, a signature.
const (
	maxManifest = 64 << 10
	maxFiles    = 32
	maxFileSize = 1 << 30
)

// manifestName is the first member's; no file has it.
const manifestName = "MANIFEST"

// Manifest says what is in a bundle.
type Manifest struct {
	Version string `json:"version"` // as git describes it
	Commit  string `json:"commit"`
	OS      string `json:"os"`   // as Go calls them
	Arch    string `json:"arch"` //
	Schema  Schema `json:"schema"`
	// UpgradeFrom is the oldest version that this one may be installed over; ""
	// is any.
	UpgradeFrom string `json:"upgrade_from,omitempty"`
	// Measurement is what an attested machine that boots this release reports, in
	// hex; "" if that is not known.
	Measurement string `json:"measurement,omitempty"`
	Files       []File `json:"files"`
}

// Schema is the range of schemas of data that a release opens; it writes To.
type Schema struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// File is one of the bundle's.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// fileName admits what is a plain name on every system.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}$`)

// Check says what is wrong with m, or nil.
func (m Manifest) Check() error {
	switch {
	case m.Version == "" || m.OS == "" || m.Arch == "":
		return damaged("the manifest lacks the version or the machine")
	case m.Schema.From < 1 || m.Schema.To < m.Schema.From:
		return damaged("the manifest has schemas %d to %d", m.Schema.From, m.Schema.To)
	case len(m.Files) == 0 || len(m.Files) > maxFiles:
		return damaged("the manifest names %d files", len(m.Files))
	}
	seen := map[string]bool{manifestName: true}
	for _, f := range m.Files {
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size || f.SHA256 != strings.ToLower(f.SHA256) {
			return damaged("the manifest has no SHA-256 of a file")
		}
		if !fileName.MatchString(f.Name) || seen[f.Name] || f.Size < 0 || f.Size > maxFileSize {
			return damaged("the manifest names a file %q of %d bytes", f.Name, f.Size)
		}
		seen[f.Name] = true
	}
	return nil
}

// Package is the name of the Debian package, "" if there is none.
func (m Manifest) Package() string {
	for _, f := range m.Files {
		if strings.HasSuffix(f.Name, ".deb") {
			return f.Name
		}
	}
	return ""
}

// text is what is signed.
func (m Manifest) text() (string, error) {
	raw, err := json.Marshal(m)
	return title + string(raw) + "\n", err
}

// parse reads what was signed, strictly: what does not come out of text as it
// went in was not made by us.
func parse(text string) (m Manifest, err error) {
	raw, ok := strings.CutPrefix(text, title)
	if !ok {
		return m, damaged("it is of another form than this oneclawd knows")
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return Manifest{}, damaged("the manifest cannot be read").Because(err)
	}
	if again, err := m.text(); err != nil || again != text {
		return Manifest{}, damaged("the manifest is not in its canonical form")
	}
	return m, m.Check()
}

// describe is the manifest's entry for what r has.
func describe(name string, r io.Reader) (File, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return File{Name: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
