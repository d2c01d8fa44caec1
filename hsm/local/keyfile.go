package local

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/crypto/argon2"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// keyDoc is the key file: JSON, so that an operator can see what it is.
type keyDoc struct {
	Format int    `json:"format"`
	KDF    string `json:"kdf"` // "argon2id" or "none"
	// Argon2id, RFC 9106. They are in the file so that raising them later does
	// not lock old files out.
	Time      uint32 `json:"time,omitempty"`
	MemoryKiB uint32 `json:"memory_kib,omitempty"`
	Threads   uint8  `json:"threads,omitempty"`
	Salt      []byte `json:"salt,omitempty"`
	Key       []byte `json:"key"` // the root key, or it sealed under the derived key
}

const (
	kdfNone       = "none"
	kdfArgon2id   = "argon2id"
	versionSealed = 0x10
	maxKeyFile    = 4096
)

// The second recommended option of RFC 9106, about 0.4 s.
const (
	argonTime    = 3
	argonMemory  = 64 * 1024
	argonThreads = 4
)

var errPassphrase = hsm.ErrWrongPIN.Detail("the passphrase does not open the key file")

// readKeyFile returns the root key; the caller wipes it. A missing file is
// fs.ErrNotExist.
func readKeyFile(path string, passphrase plain.Bytes) ([]byte, error) {
	raw, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	var doc keyDoc
	if err := json.Unmarshal(raw, &doc); err != nil || doc.Format != 1 {
		return nil, fmt.Errorf("%s is not a key file of this version", keyFile)
	}
	switch {
	case doc.KDF == kdfNone && passphrase.Len() > 0:
		// Not silently accepted: who set a passphrase believes the file needs it.
		clear(doc.Key)
		return nil, hsm.ErrWrongPIN.Detail("a passphrase is set, but the key file is not protected by one")
	case doc.KDF == kdfNone:
		if len(doc.Key) != soft.KeySize {
			return nil, fmt.Errorf("%s holds no key of %d bytes", keyFile, soft.KeySize)
		}
		return doc.Key, nil
	case doc.KDF == kdfArgon2id && passphrase.Len() == 0:
		return nil, hsm.ErrWrongPIN.Detail("the key file needs a passphrase")
	case doc.KDF == kdfArgon2id:
		return doc.open(passphrase)
	}
	return nil, fmt.Errorf("%s uses an unknown key derivation", keyFile)
}

// readPrivate reads a small file that nobody else may read. The permissions are
// those of the file that was opened, not of a path that may change meanwhile.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, hsm.ErrUnavailable.Detail("the key file cannot be read").Because(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, hsm.ErrUnavailable.Detail("the key file %s can be read by others; run chmod 600 on it", keyFile)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// writeKeyFile makes the key file, durably, and never over another.
func writeKeyFile(path string, key []byte, passphrase plain.Bytes) error {
	doc := keyDoc{Format: 1, KDF: kdfNone, Key: append([]byte(nil), key...)}
	defer clear(doc.Key)
	if passphrase.Len() > 0 {
		if err := doc.seal(key, passphrase); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	defer clear(raw)
	return createFile(path, append(raw, '\n'))
}

// seal replaces the key by itself sealed under the passphrase.
func (d *keyDoc) seal(key []byte, passphrase plain.Bytes) error {
	d.KDF, d.Time, d.MemoryKiB, d.Threads = kdfArgon2id, argonTime, argonMemory, argonThreads
	d.Salt = make([]byte, 16)
	if _, err := rand.Read(d.Salt); err != nil {
		return err
	}
	clear(d.Key)
	derived := d.derive(passphrase)
	defer clear(derived)
	var err error
	d.Key, err = soft.Seal(versionSealed, derived, key, d.aad())
	return err
}

// open returns the root key.
func (d *keyDoc) open(passphrase plain.Bytes) ([]byte, error) {
	// Bounds first: a damaged file must not make us take all memory.
	if d.Time < 1 || d.Time > 64 || d.MemoryKiB < 8 || d.MemoryKiB > 1<<20 || d.Threads < 1 || len(d.Salt) < 8 {
		return nil, fmt.Errorf("%s has impossible key derivation parameters", keyFile)
	}
	derived := d.derive(passphrase)
	defer clear(derived)
	key, err := soft.Open(versionSealed, derived, d.Key, d.aad())
	if err != nil || len(key) != soft.KeySize {
		return nil, errPassphrase.Because(err)
	}
	return key, nil
}

func (d *keyDoc) derive(passphrase plain.Bytes) []byte {
	return argon2.IDKey(passphrase.Reveal(), d.Salt, d.Time, d.MemoryKiB, d.Threads, soft.KeySize)
}

// aad says what the sealed key is. The parameters need no binding: with others
// another key is derived.
func (d *keyDoc) aad() []byte { return []byte("oneclawd local root key v1") }

// createFile writes a file that must not exist, so that after a crash there is
// all of it or none.
func createFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	// Link and not rename: it fails where another process was first.
	if err := os.Link(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// replaceFile writes a file so that a crash leaves the old or the new one.
func replaceFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("replacing %s: %w", filepath.Base(path), err)
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes data, synced, to a new file beside path with mode 0600.
func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		if errors.Is(err, syscall.ENOSPC) {
			return "", hsm.ErrFull.Detail("the disk is full").Because(err)
		}
		return "", fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
