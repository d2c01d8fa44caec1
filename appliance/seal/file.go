package seal

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// File is a sealed secret. Its methods may be called from many goroutines. Of two
// processes that change one file at once, one is told ErrChanged; that they do so in
// the same instant is not guarded against.
type File struct {
	path    string
	subject Subject

	mu  sync.Mutex // guards the rest
	doc *fileDoc
	sum [sha256.Size]byte // of the file's bytes, as last seen

	beforeRename func() // tests die here
}

// Create seals secret (1 to 4096 bytes) into a new file with mode 0600, durably. It
// writes over no other (ErrExists), and nothing that people cannot open
// (ErrNoRecovery). The caller wipes the secret.
func Create(path string, about Subject, secret plain.Bytes, slots ...Slot) error {
	defer func() {
		for _, s := range slots {
			s.secret.Wipe()
		}
	}()
	if !name(about.Instance) || !name(about.Purpose) {
		return ErrSlot.Detail("instance and purpose are printable, at most %d bytes", maxName)
	}
	if secret.Len() < 1 || secret.Len() > maxSecret {
		return ErrSlot.Detail("what is sealed has 1 to %d bytes", maxSecret)
	}
	key := random(keySize)
	defer clear(key)
	doc := &fileDoc{Format: fileFormat, Instance: about.Instance, Purpose: about.Purpose}
	if err := doc.seal(key, secret); err != nil {
		return err
	}
	for _, s := range slots {
		if err := doc.add(about, s, key); err != nil {
			return err
		}
	}
	raw, err := doc.encode()
	if err != nil {
		return err
	}
	return createFile(path, raw)
}

// Open reads the file at path, which must be about that subject. A file that others
// may read is refused; one that is not there is fs.ErrNotExist.
func Open(path string, about Subject) (*File, error) {
	raw, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	doc, err := parseFile(raw)
	if err != nil {
		return nil, err
	}
	if (Subject{doc.Instance, doc.Purpose}) != about {
		return nil, ErrOther
	}
	return &File{path: path, subject: about, doc: doc, sum: sha256.Sum256(raw)}, nil
}

// Unseal returns the secret; the caller wipes it. A try that fails is ErrRefused,
// whichever part of it was wrong. Other errors say that there is nothing to try:
// ErrNoSlot, ErrMissing, attest.ErrNoDerivedKeys.
func (f *File) Unseal(ctx context.Context, by Opener) (plain.Bytes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, _, err := f.open(ctx, by)
	if err != nil {
		return plain.Bytes{}, err
	}
	defer clear(key)
	return f.doc.unsealed(key)
}

// AddSlot adds s, opened by whoever can.
func (f *File) AddSlot(ctx context.Context, by Opener, s Slot) error {
	defer s.secret.Wipe()
	return f.change(ctx, by, func(next *fileDoc, key []byte) error { return next.add(f.subject, s, key) })
}

// Replace seals another secret in place of the old one, for the same slots: the
// HSM's PIN was changed. The caller wipes it.
func (f *File) Replace(ctx context.Context, by Opener, secret plain.Bytes) error {
	if secret.Len() < 1 || secret.Len() > maxSecret {
		return ErrSlot.Detail("what is sealed has 1 to %d bytes", maxSecret)
	}
	return f.change(ctx, by, func(next *fileDoc, key []byte) error { return next.seal(key, secret) })
}

func (f *File) change(ctx context.Context, by Opener, fn func(*fileDoc, []byte) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, _, err := f.open(ctx, by)
	if err != nil {
		return err
	}
	defer clear(key)
	next := f.without("")
	if err := fn(next, key); err != nil {
		return err
	}
	return f.write(next)
}

// RemoveSlot removes the slot with that id. The last by which people can open is
// not removed (ErrNoRecovery). It opens nothing: whoever may write the file could
// as well delete it.
func (f *File) RemoveSlot(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.ContainsFunc(f.doc.Slots, func(s slotDoc) bool { return s.ID == id }) {
		return ErrNoSlot
	}
	return f.write(f.without(id))
}

// SlotInfo says what a slot is. None of it is secret.
type SlotInfo struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Measurement string `json:"measurement,omitempty"` // snp, upgrade: of the image, in hexadecimal
	TCB         uint64 `json:"tcb,omitempty"`         // snp: what is mixed in
	Set         string `json:"set,omitempty"`         // shamir
	Threshold   int    `json:"threshold,omitempty"`   // shamir: how many open
	Shares      int    `json:"shares,omitempty"`      // shamir: of how many
}

// Describe lists the slots.
func (f *File) Describe() []SlotInfo {
	var all []SlotInfo
	for _, s := range f.slots() {
		info := SlotInfo{ID: s.ID, Kind: s.Kind}
		switch s.Kind {
		case KindSNP:
			info.Measurement, info.TCB = s.SNP.Measurement, s.SNP.TCB
		case KindUpgrade:
			info.Measurement = s.Upgrade.Measurement
		case KindShamir:
			info.Set, info.Threshold, info.Shares = s.Shamir.Set, s.Shamir.Threshold, len(s.Shamir.Checks)
		}
		all = append(all, info)
	}
	return all
}

func (f *File) slots() []slotDoc {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.doc.Slots)
}

// open tries by on each slot of its kind, and returns the seal key, which the
// caller wipes, and the slot that opened. All slots are tried.
func (f *File) open(ctx context.Context, by Opener) (key []byte, slot string, err error) {
	err = ErrNoSlot.Detail("the file has no %s slot", by.kind())
	for i := range f.doc.Slots {
		s := &f.doc.Slots[i]
		if s.Kind != by.kind() {
			continue
		}
		secret, failed := by.secret(ctx, s)
		if failed == nil {
			key, failed = s.unwrap(f.subject, secret)
			secret.Wipe()
		}
		if failed == nil {
			return key, s.ID, nil
		}
		if err = failed; !errors.Is(err, ErrRefused) {
			return nil, "", err
		}
	}
	if errors.Is(err, ErrRefused) {
		// One text for all: the reason is for nobody but the cause.
		return nil, "", ErrRefused.Because(fault.As(err).Unwrap())
	}
	return nil, "", err
}

// without is a copy of the file's document, less one slot.
func (f *File) without(id string) *fileDoc {
	next := *f.doc
	next.Slots = slices.DeleteFunc(slices.Clone(f.doc.Slots), func(s slotDoc) bool { return s.ID == id })
	return &next
}

// write replaces the file, if it is still the one that was read.
func (f *File) write(next *fileDoc) error {
	raw, err := next.encode()
	if err != nil {
		return err
	}
	now, err := readPrivate(f.path)
	if err != nil {
		return err
	}
	if sha256.Sum256(now) != f.sum {
		return ErrChanged
	}
	if err := replaceFile(f.path, raw, f.beforeRename); err != nil {
		return err
	}
	f.doc, f.sum = next, sha256.Sum256(raw)
	return nil
}

// encode is the file's bytes, if the file may be written.
func (d *fileDoc) encode() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, err
	}
	raw = append(raw, '\n')
	// What cannot be read back is not written.
	if _, err := parseFile(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// bound is what the sealed secret is bound to.
func (d *fileDoc) bound() ([]byte, error) {
	return json.Marshal(struct {
		Is       string `json:"is"`
		Format   int    `json:"format"`
		Instance string `json:"instance"`
		Purpose  string `json:"purpose"`
	}{"oneclawd seal secret", d.Format, d.Instance, d.Purpose})
}

func (d *fileDoc) seal(key []byte, secret plain.Bytes) error {
	bound, err := d.bound()
	if err != nil {
		return err
	}
	gcm, err := newGCM(key)
	if err == nil {
		d.Sealed = gcm.Seal(nil, nil, secret.Reveal(), bound)
	}
	return err
}

func (d *fileDoc) unsealed(key []byte) (plain.Bytes, error) {
	bound, err := d.bound()
	if err != nil {
		return plain.Bytes{}, err
	}
	gcm, err := newGCM(key)
	if err != nil {
		return plain.Bytes{}, err
	}
	secret, err := gcm.Open(nil, nil, d.Sealed, bound)
	if err != nil {
		return plain.Bytes{}, ErrRefused.Because(err)
	}
	return plain.New(secret), nil
}

// add wraps key for s.
func (d *fileDoc) add(about Subject, s Slot, key []byte) error {
	if s.secret.Len() == 0 {
		return ErrSlot.Detail("the slot was not made")
	}
	if err := s.doc.wrap(about, s.secret, key); err != nil {
		return err
	}
	d.Slots = append(d.Slots, s.doc)
	return nil
}
