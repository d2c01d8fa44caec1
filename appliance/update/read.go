package update

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"golang.org/x/mod/sumdb/note"
)

// Bundle is one that Read found to be whole and signed.
type Bundle struct {
	Manifest Manifest
	SignedBy []string // the trusted keys that did, as name+hash
}

// Read checks a bundle to its last byte: that one of the keys signed the
// manifest, and that what follows is what was signed and nothing else. Each file
// is written to what open returns for it; nothing of it may be used unless Read
// returns no error. A nil open only checks.
func Read(r io.Reader, keys []string, open func(File) (io.WriteCloser, error)) (Bundle, error) {
	in := &counting{r: r}
	archive := tar.NewReader(in)
	b, size, err := readManifest(archive, keys)
	if err != nil {
		return Bundle{}, err
	}
	want := onTape(size)
	for _, f := range b.Manifest.Files {
		if err := readFile(archive, f, open); err != nil {
			return Bundle{}, err
		}
		want += onTape(f.Size)
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return Bundle{}, damaged("something follows the files that were signed").Because(err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return Bundle{}, damaged("something follows its end")
	}
	if want += 2 * block; in.n != want {
		return Bundle{}, damaged("it has %d bytes where what was signed takes %d", in.n, want)
	}
	return b, nil
}

// block is tar's unit: a header is one, a file as many as hold it, the end two.
const block = 512

func onTape(size int64) int64 { return block + (size+block-1)/block*block }

func readManifest(archive *tar.Reader, keys []string) (b Bundle, size int64, err error) {
	h, err := archive.Next()
	if err != nil || h.Name != manifestName || h.Typeflag != tar.TypeReg || h.Size > maxManifest {
		return b, 0, damaged("it does not begin with a manifest").Because(err)
	}
	raw, err := io.ReadAll(io.LimitReader(archive, maxManifest))
	if err != nil || int64(len(raw)) != h.Size {
		return b, 0, damaged("the manifest is cut short").Because(err)
	}
	trusted, err := verifiers(keys)
	if err != nil {
		return b, 0, err
	}
	n, err := note.Open(raw, trusted)
	var unknown *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unknown):
		return b, 0, ErrUntrusted.Because(err)
	case errors.As(err, &invalid):
		return b, 0, ErrUntrusted.Detail("the signature does not fit the manifest: one of them was altered").Because(err)
	case err != nil:
		return b, 0, damaged("the manifest is not a signed note").Because(err)
	}
	for _, s := range n.Sigs {
		b.SignedBy = append(b.SignedBy, keyID(s))
	}
	b.Manifest, err = parse(n.Text)
	return b, h.Size, err
}

func keyID(s note.Signature) string {
	return s.Name + "+" + hex.EncodeToString([]byte{byte(s.Hash >> 24), byte(s.Hash >> 16), byte(s.Hash >> 8), byte(s.Hash)})
}

// readFile takes the next member, which must be f.
func readFile(archive *tar.Reader, f File, open func(File) (io.WriteCloser, error)) (err error) {
	h, err := archive.Next()
	if errors.Is(err, io.EOF) {
		return damaged("%s is missing", f.Name)
	}
	if err != nil || h.Name != f.Name || h.Typeflag != tar.TypeReg || h.Size != f.Size {
		return damaged("%s does not come where it was signed to", f.Name).Because(err)
	}
	sum := sha256.New()
	to := io.Writer(sum)
	if open != nil {
		out, err := open(f)
		if err != nil {
			return err
		}
		defer func() {
			if cerr := out.Close(); err == nil {
				err = cerr
			}
		}()
		to = io.MultiWriter(sum, &keepError{w: out})
	}
	n, err := io.Copy(to, archive)
	var dst *writeError
	switch {
	case errors.As(err, &dst):
		return dst.err
	case err != nil || n != f.Size:
		return damaged("%s is cut short", f.Name).Because(err)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return damaged("%s is not the file that was signed", f.Name)
	}
	return nil
}

// keepError tells errors of the destination from those of the bundle.
type keepError struct{ w io.Writer }

type writeError struct{ err error }

// Error implements error.
func (e *writeError) Error() string { return e.err.Error() }

// Write implements io.Writer.
func (k *keepError) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	if err != nil {
		err = &writeError{err}
	}
	return n, err
}

// counting counts what is read.
type counting struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
