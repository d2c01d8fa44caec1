package update

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
)

// Write makes a bundle of the files at paths, which are named in m as they come,
// signed with a private key of NewKey. The same files give the same bytes.
func Write(w io.Writer, m Manifest, paths []string, key string) error {
	signer, err := note.NewSigner(key)
	if err != nil {
		return ErrKey.Detail("not a private key").Because(err)
	}
	m.Files = nil
	for _, path := range paths {
		f, err := describeFile(path)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	if err := m.Check(); err != nil {
		return err
	}
	text, err := m.text()
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return fmt.Errorf("update: signing: %w", err)
	}
	if len(signed) > maxManifest {
		return fmt.Errorf("update: a manifest of %d bytes is too long", len(signed))
	}
	out := tar.NewWriter(w)
	if err := out.WriteHeader(member(manifestName, int64(len(signed)))); err != nil {
		return err
	}
	if _, err := out.Write(signed); err != nil {
		return err
	}
	for i, path := range paths {
		if err := add(out, m.Files[i], path); err != nil {
			return err
		}
	}
	return out.Close()
}

// member is how every member of the archive is described.
func member(name string, size int64) *tar.Header {
	return &tar.Header{Format: tar.FormatUSTAR, Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
}

func describeFile(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	return describe(filepath.Base(path), f)
}

func add(out *tar.Writer, f File, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := out.WriteHeader(member(f.Name, f.Size)); err != nil {
		return err
	}
	if n, err := io.Copy(out, in); err != nil || n != f.Size {
		return fmt.Errorf("update: %s was changed while it was read: %w", f.Name, err)
	}
	return nil
}
