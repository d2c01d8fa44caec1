package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// ErrCheckpoint: what was given is not a checkpoint, or not signed by this
// appliance's key.
var ErrCheckpoint = fault.New(fault.Invalid, "audit_checkpoint_invalid", "not a checkpoint signed by this appliance")

var errVerifierKey = fault.New(fault.Invalid, "audit_verifier_key", "not a verifier key")

// Checkpoint states that the log had Size events and that root over them. As
// text it is a c2sp.org/tlog-checkpoint: a signed note whose lines are origin,
// size, root and the time.
type Checkpoint struct {
	Origin string // "oneclawd/<instance>"
	Size   uint64
	Root   [32]byte
	Time   time.Time
	Note   []byte // as signed; nil for one that is not
}

// Key is the Ed25519 key that signs checkpoints. Sign signs the message itself,
// not a digest; the private half is the HSM's.
type Key struct {
	Public ed25519.PublicKey
	Sign   func(ctx context.Context, message []byte) ([]byte, error)
}

// Origin is the name under which an appliance signs.
func Origin(instance id.ID) string { return "oneclawd/" + instance.String() }

// VerifierKey is the line that an auditor pins: with it, and nothing else,
// checkpoints and exports can be verified anywhere.
func VerifierKey(instance id.ID, public ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(Origin(instance), public)
}

// OpenCheckpoint verifies a signed checkpoint.
func OpenCheckpoint(signed []byte, verifierKey string) (Checkpoint, error) {
	v, err := note.NewVerifier(strings.TrimSpace(verifierKey))
	if err != nil {
		return Checkpoint{}, errVerifierKey.Because(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, ErrCheckpoint.Because(err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, ErrCheckpoint.Because(err)
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, ErrCheckpoint.Detail("the checkpoint is of %q, not of %q", c.Origin, v.Name())
	}
	c.Note = signed
	return c, nil
}

// text is what is signed.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\ntime %s\n", c.Origin, c.Size,
		base64.StdEncoding.EncodeToString(c.Root[:]), c.Time.UTC().Format(time.RFC3339))
}

// parseCheckpoint reads text. It takes one spelling only, so that two different
// texts are never the same statement.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, fmt.Errorf("audit: a checkpoint of %d lines", len(lines)-1)
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil || c.Size > math.MaxInt64 {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint root: %w", err)
	}
	c.Root = root
	stamp, _ := strings.CutPrefix(lines[3], "time ")
	if c.Time, err = time.Parse(time.RFC3339, stamp); err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint time: %w", err)
	}
	if c.text() != text {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint is not in its canonical form")
	}
	return c, nil
}

// sign returns c with its signature, which it verifies: a module that signs
// wrongly is noticed now and not at the next audit.
func (c Checkpoint) sign(ctx context.Context, k Key) (Checkpoint, error) {
	vkey, err := note.NewEd25519VerifierKey(c.Origin, k.Public)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint key: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint key: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer{v, ctx, k})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: sign checkpoint: %w", err)
	}
	return OpenCheckpoint(signed, vkey)
}

// signer is a note.Signer over a Key. It lives for one call, hence the context.
type signer struct {
	note.Verifier
	ctx context.Context
	key Key
}

// Sign implements note.Signer.
func (s signer) Sign(msg []byte) ([]byte, error) { return s.key.Sign(s.ctx, msg) }
