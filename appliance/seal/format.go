package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Limits of a file.
const (
	fileFormat = 1
	maxFile    = 64 << 10
	maxSecret  = 4 << 10
	maxSlots   = 32
	maxName    = 256

	keySize     = 32      // of every key here
	overhead    = 12 + 16 // nonce and tag
	saltSize    = 32
	measurement = 48
)

// Kinds of slots.
const (
	KindSNP        = "snp"
	KindPassphrase = "passphrase"
	KindShamir     = "shamir"
	KindUpgrade    = "upgrade"
)

// Subject says what is sealed, and whose it is.
type Subject struct {
	Instance string // of this installation; anything that does not change
	Purpose  string // "hsm-pin"
}

// fileDoc is the file: JSON, so that an operator can see what it is.
type fileDoc struct {
	Format   int       `json:"format"`
	Instance string    `json:"instance"`
	Purpose  string    `json:"purpose"`
	Sealed   []byte    `json:"sealed"`
	Slots    []slotDoc `json:"slots"`
}

// slotDoc is one slot. It has the parameters of its kind and no others.
type slotDoc struct {
	ID         string         `json:"id"` // 16 hexadecimal digits, random
	Kind       string         `json:"kind"`
	SNP        *snpDoc        `json:"snp,omitempty"`
	Passphrase *passphraseDoc `json:"passphrase,omitempty"`
	Shamir     *shamirDoc     `json:"shamir,omitempty"`
	Upgrade    *upgradeDoc    `json:"upgrade,omitempty"`
	Wrapped    []byte         `json:"wrapped"`
}

type snpDoc struct {
	Salt        []byte `json:"salt"`
	Measurement string `json:"measurement"`   // of the image that it is for
	TCB         uint64 `json:"tcb,omitempty"` // mixed in; 0 is none
}

// passphraseDoc has Argon2id's parameters (RFC 9106), so that raising them later
// does not lock old files out.
type passphraseDoc struct {
	Salt      []byte `json:"salt"`
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
}

type shamirDoc struct {
	Salt      []byte   `json:"salt"`
	Set       string   `json:"set"` // 8 hexadecimal digits, random
	Threshold int      `json:"threshold"`
	Checks    [][]byte `json:"checks"` // of each share
}

type upgradeDoc struct {
	Salt        []byte `json:"salt"`
	Measurement string `json:"measurement"` // of the image that is next
}

// parseFile reads a file's bytes and checks all that can be checked without a key.
func parseFile(raw []byte) (*fileDoc, error) {
	if len(raw) > maxFile {
		return nil, ErrFile.Detail("the file is larger than %d bytes", maxFile)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	d := new(fileDoc)
	if err := dec.Decode(d); err != nil {
		return nil, ErrFile.Because(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrFile.Detail("the file has something after its end")
	}
	if d.Format != fileFormat {
		return nil, ErrFile.Detail("the file is of format %d; this program knows %d", d.Format, fileFormat)
	}
	sealed := len(d.Sealed) - overhead
	if !name(d.Instance) || !name(d.Purpose) || sealed < 1 || sealed > maxSecret {
		return nil, ErrFile
	}
	for _, s := range d.Slots {
		if !s.valid() || len(s.Wrapped) != keySize+overhead {
			return nil, ErrFile.Detail("a slot of the file is damaged")
		}
	}
	return d, d.check()
}

// check holds the rules that every file keeps.
func (d *fileDoc) check() error {
	if len(d.Slots) > maxSlots {
		return ErrSlot.Detail("a file has at most %d slots", maxSlots)
	}
	seen := map[string]bool{}
	for _, s := range d.Slots {
		if seen[s.ID] {
			return ErrFile.Detail("two slots of the file have one id")
		}
		seen[s.ID] = true
	}
	if !slices.ContainsFunc(d.Slots, slotDoc.recovers) {
		return ErrNoRecovery
	}
	return nil
}

// recovers reports whether people can open the slot without the machine.
func (s slotDoc) recovers() bool { return s.Kind == KindPassphrase || s.Kind == KindShamir }

// name allows what can be shown.
func name(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) &&
		!bytes.ContainsFunc([]byte(s), func(r rune) bool { return !unicode.IsPrint(r) })
}

// valid bounds the parameters: a damaged file must not make us take all memory.
func (s slotDoc) valid() bool {
	kinds := 0
	for _, there := range []bool{s.SNP != nil, s.Passphrase != nil, s.Shamir != nil, s.Upgrade != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 || !digits(s.ID, 8) {
		return false
	}
	switch s.Kind {
	case KindSNP:
		return s.SNP != nil && len(s.SNP.Salt) == saltSize && digits(s.SNP.Measurement, measurement)
	case KindPassphrase:
		p := s.Passphrase
		return p != nil && len(p.Salt) == saltSize && p.Time >= 1 && p.Time <= 16 &&
			p.MemoryKiB >= 8*uint32(p.Threads) && p.MemoryKiB <= 1<<20 && p.Threads >= 1 && p.Threads <= 16
	case KindShamir:
		return s.Shamir != nil && s.Shamir.valid()
	case KindUpgrade:
		return s.Upgrade != nil && len(s.Upgrade.Salt) == saltSize && digits(s.Upgrade.Measurement, measurement)
	}
	return false
}

func (d *shamirDoc) valid() bool {
	if len(d.Salt) != saltSize || !digits(d.Set, setSize) || !possible(d.Threshold, len(d.Checks)) {
		return false
	}
	return !slices.ContainsFunc(d.Checks, func(c []byte) bool { return len(c) != keySize })
}

// digits reports whether s is n bytes in lower-case hexadecimal.
func digits(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && hex.EncodeToString(b) == s
}
