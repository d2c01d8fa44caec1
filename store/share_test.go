package store

import (
	"path/filepath"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

// TestShareLeavesNothing: a share is found by its creator and its recipient, who
// may come later, and once deleted not even its index records are left.
func TestShareLeavesNothing(t *testing.T) {
	db, err := Open(Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Init(Meta{}, plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	ann, bot := policy.Principal{Type: policy.User, ID: id.New()}, policy.Principal{Type: policy.Agent, ID: id.New()}
	path, err := vault.ParseSecretPath("a/b")
	if err != nil {
		t.Fatal(err)
	}
	s := share.Share{ID: id.Random(), Creator: ann, Path: path}
	update := func(fn func(*Tx) error) {
		t.Helper()
		if err := db.update(bg, fn); err != nil {
			t.Fatal(err)
		}
	}
	counts := func(all, out, in, rows int) {
		t.Helper()
		err := db.view(bg, func(tx *Tx) error {
			a, err := tx.Shares(id.ID{}, 0)
			if err != nil {
				return err
			}
			o, err := tx.Outbound(ann)
			if err != nil {
				return err
			}
			i, err := tx.Inbound(bot)
			if err != nil {
				return err
			}
			n := 0
			for _, index := range []rawTable{sharesOut, sharesIn} {
				if err := index.scan(tx, page{}, func(_, _ []byte) error { n++; return nil }); err != nil {
					return err
				}
			}
			if len(a) != all || len(o) != out || len(i) != in || n != rows {
				t.Errorf("%d shares, %d outbound, %d inbound, %d index records", len(a), len(o), len(i), n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	counts(0, 0, 0, 0)
	update(func(tx *Tx) error { return tx.PutShare(s) })
	counts(1, 1, 0, 1)
	s.Recipient = bot
	update(func(tx *Tx) error { return tx.PutShare(s) })
	counts(1, 1, 1, 2)
	s.Accesses = 3
	update(func(tx *Tx) error { return tx.PutShare(s) })
	counts(1, 1, 1, 2)
	update(func(tx *Tx) error { return tx.DeleteShare(s) })
	counts(0, 0, 0, 0)
}
