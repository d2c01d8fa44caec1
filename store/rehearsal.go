//go:build oneclawd_rehearsal

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A build with the tag oneclawd_rehearsal has a schema that no release has, so
// that an upgrade can be tried with real binaries before one is due. Its
// migration seals every record anew. It is never published.
const rehearsed = 1

var rehearsal = []migration{{to: 2, run: rehearse}}

// Files in the data folder that tell the rehearsal to wait halfway until the
// file is gone, and to fail there. While it waits there is the third.
const (
	rehearsalHold = "rehearsal-hold"
	rehearsalFail = "rehearsal-fail"
	rehearsalHeld = "rehearsal-held"
)

func rehearse(ctx context.Context, tx *bolt.Tx, keys *keyring) error {
	for i, b := range buckets {
		if i == len(buckets)/2 {
			if err := halfway(ctx, filepath.Dir(tx.DB().Path())); err != nil {
				return err
			}
		}
		if err := rewrite(ctx, tx, keys, b.name, func(r record) (record, error) { return r, nil }); err != nil {
			return err
		}
	}
	return nil
}

func halfway(ctx context.Context, dir string) error {
	for {
		if _, err := os.Stat(filepath.Join(dir, rehearsalFail)); err == nil {
			return errors.New("rehearsed to fail")
		}
		if _, err := os.Stat(filepath.Join(dir, rehearsalHold)); err != nil {
			return nil
		}
		if err := os.WriteFile(filepath.Join(dir, rehearsalHeld), nil, 0o600); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
