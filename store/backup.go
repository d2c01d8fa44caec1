package store

import (
	"cmp"
	"context"
	"io"
)

// Backup writes a copy of the file as it is now: sealed records, and the
// wrapped keys of Meta. Work goes on meanwhile.
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	db.backups.RLock()
	defer db.backups.RUnlock()
	tx, err := db.bolt.Begin(false)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback() }()
	out := &backupWriter{ctx: ctx, w: w}
	return guard(func() error {
		_, err := tx.WriteTo(out)
		return cmp.Or(out.err, err) // bbolt wraps by text only
	})
}

// backupWriter stops writing when ctx ends, and keeps the first error.
type backupWriter struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (b *backupWriter) Write(p []byte) (n int, err error) {
	if b.err = b.ctx.Err(); b.err == nil {
		n, b.err = b.w.Write(p)
	}
	return n, b.err
}

// Verify opens every record of one snapshot and returns how many there are, or
// the first that is damaged. CheckFile looks at the pages, Verify at what is
// on them; a backup that passes both can be restored.
func (db *DB) Verify(ctx context.Context) (records int, err error) {
	err = db.view(ctx, func(t *Tx) error {
		return guard(func() error {
			for _, tb := range db.layout.buckets {
				n, err := t.verify(tb.name)
				records += n
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	return records, err
}

func (t *Tx) verify(table string) (n int, err error) {
	b, err := t.snap.bucket(table)
	if err != nil {
		return 0, err
	}
	return n, b.ForEach(func(key, raw []byte) error {
		n++
		if n%256 == 0 && t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		_, err := t.snap.open(table, key, raw)
		return err
	})
}
