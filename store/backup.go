package store

import (
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
	return guard(func() error {
		_, err := tx.WriteTo(ctxWriter{ctx, w})
		return err
	})
}

// ctxWriter stops writing when ctx ends.
type ctxWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c ctxWriter) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// Verify opens every record of one snapshot and returns how many there are, or
// the first that is damaged. CheckFile looks at the pages, Verify at what is
// on them; a backup that passes both can be restored.
func (db *DB) Verify(ctx context.Context) (records int, err error) {
	err = db.view(ctx, func(t *Tx) error {
		return guard(func() error {
			for _, tb := range db.tables {
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
