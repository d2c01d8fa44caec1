package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// ErrStatement: what was given is not a statement of that kind, or not signed
// by this appliance's key.
var ErrStatement = fault.New(fault.Invalid, "audit_statement_invalid", "not a statement signed by this appliance")

// SignStatement vouches with the key of the checkpoints for something that is
// kept elsewhere: kind says what, and digest is its SHA-256. As text it is a
// signed note of three lines, origin, kind and digest, which no checkpoint is.
func SignStatement(ctx context.Context, instance id.ID, k Key, kind string, digest [32]byte) (signed []byte, err error) {
	vkey, err := VerifierKey(instance, k.Public)
	if err != nil {
		return nil, fmt.Errorf("audit: statement key: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("audit: statement key: %w", err)
	}
	text := statementText(Origin(instance), kind, digest)
	if signed, err = note.Sign(&note.Note{Text: text}, signer{v, ctx, k}); err != nil {
		return nil, fmt.Errorf("audit: sign %s: %w", kind, err)
	}
	return signed, OpenStatement(signed, vkey, kind, digest)
}

// OpenStatement verifies that signed is a statement of the kind over digest. An
// unusable verifierKey and a wrong statement are different errors.
func OpenStatement(signed []byte, verifierKey, kind string, digest [32]byte) error {
	v, err := note.NewVerifier(strings.TrimSpace(verifierKey))
	if err != nil {
		return errVerifierKey.Because(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return ErrStatement.Because(err)
	}
	if n.Text != statementText(v.Name(), kind, digest) {
		return ErrStatement.Because(fmt.Errorf("audit: the note says %q", n.Text))
	}
	if !bytes.Equal(signed, canonical(n)) {
		return ErrStatement.Because(errors.New("audit: the note is not in its canonical form"))
	}
	return nil
}

// canonical is n with its first signature, spelled as note.Sign does: base64 has
// bits and bytes that say nothing, and a copy must differ in none.
func canonical(n *note.Note) []byte {
	sig := n.Sigs[0]
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "%s\n— %s %s\n", n.Text, sig.Name, base64.StdEncoding.EncodeToString(raw))
}

func statementText(origin, kind string, digest [32]byte) string {
	return origin + "\n" + kind + "\n" + hex.EncodeToString(digest[:]) + "\n"
}

// Head returns size and root of the log as tx sees it: a checkpoint that nobody
// signed, without a time.
func Head(tx Tx) (c Checkpoint, err error) {
	if c.Size, err = tx.AuditSize(); err != nil {
		return Checkpoint{}, err
	}
	root, err := rootAt(tx, c.Size)
	c.Root = root
	return c, err
}
