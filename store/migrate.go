package store

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// migration brings a file from schema to-1 to schema to. It runs while nothing
// but snapshots can be opened, looks at ctx now and then, and may run again from
// the start. For each there is a file of the schema before in testdata.
type migration struct {
	to  int
	run func(context.Context, *bolt.Tx, *keyring) error
}

// Outdated returns the schema of an unsealed file that Migrate has to bring to
// this one's, and whether it is such a file. Until then snapshots are all that
// can be opened: whoever wants a copy of the old state makes it now.
func (db *DB) Outdated() (schema int, outdated bool) {
	db.using.RLock()
	defer db.using.RUnlock()
	return db.outdated, db.outdated != 0
}

// Migrate brings an outdated file to the present schema: all of it in one
// transaction, so that whatever ends it (an error, ctx, a kill, a power cut)
// leaves the file as it was. note, if not nil, may leave word of it in Meta, in
// the same transaction. A file that is not outdated is left alone.
func (db *DB) Migrate(ctx context.Context, note func(*Meta) error) error {
	db.grouping.Lock()
	defer db.grouping.Unlock()
	if db.keys == nil {
		return db.closedOr(ErrSealed)
	}
	if db.outdated == 0 {
		return nil
	}
	err := db.direct(func(tx *bolt.Tx) error { return db.migrate(ctx, tx, note) })
	if err != nil {
		return fmt.Errorf("store: migrating from schema %d to %d: %w", db.outdated, db.layout.schema, err)
	}
	newest, err := db.visible()
	if err != nil {
		return err
	}
	db.using.Lock()
	defer db.using.Unlock()
	db.cache.wipe()
	db.cache.latest.Store(uint64(newest))
	db.outdated = 0
	return nil
}

func (db *DB) migrate(ctx context.Context, tx *bolt.Tx, note func(*Meta) error) error {
	h, err := db.loadHead(tx)
	if err != nil {
		return err
	}
	for _, m := range db.layout.migrations {
		if m.to <= h.Schema {
			continue
		}
		if err := m.run(ctx, tx, db.keys); err != nil {
			return fmt.Errorf("to %d: %w", m.to, err)
		}
		h.Schema = m.to
	}
	if note != nil {
		schema := h.Schema
		if err := note(&h.Meta); err != nil {
			return err
		}
		h.Schema = schema
	}
	if err := createBuckets(tx, db.layout.buckets); err != nil {
		return err
	}
	if err := saveHead(tx, h); err != nil {
		return err
	}
	return ctx.Err() // the last moment at which it can be called off
}

// rewriteBatch is how many records rewrite looks at before it changes them: a
// bbolt cursor does not survive changes.
const rewriteBatch = 1000

// rewrite replaces each record of a table by what change makes of it.
func rewrite(ctx context.Context, tx *bolt.Tx, keys *keyring, table string, change func(record) (record, error)) error {
	b := tx.Bucket([]byte(table))
	if b == nil {
		return nil
	}
	for last := []byte(nil); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := nextKeys(b, last)
		for _, key := range batch {
			plain, version, err := keys.sealer.open(table, key, b.Get(key))
			if err != nil {
				return damaged(table, key, err)
			}
			rec, err := change(record{plain: plain, version: version})
			if err != nil {
				return err
			}
			if err := b.Put(key, keys.sealer.seal(table, rec.version, key, rec.plain)); err != nil {
				return classify(err)
			}
		}
		if len(batch) == 0 {
			return nil
		}
		last = batch[len(batch)-1]
	}
}

// nextKeys returns copies of the keys after last.
func nextKeys(b *bolt.Bucket, last []byte) (keys [][]byte) {
	c := b.Cursor()
	key, _ := c.Seek(last)
	if bytes.Equal(key, last) && last != nil {
		key, _ = c.Next()
	}
	for ; key != nil && len(keys) < rewriteBatch; key, _ = c.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

// addTables makes the buckets of tables that are new: no migration of what is
// there, and an older oneclawd does not look at them.
func (db *DB) addTables() error {
	missing, err := db.missingBuckets()
	if err != nil || len(missing) == 0 {
		return err
	}
	return db.direct(func(tx *bolt.Tx) error { return createBuckets(tx, missing) })
}

func (db *DB) missingBuckets() (missing []bucket, err error) {
	err = guard(func() error {
		return db.bolt.View(func(tx *bolt.Tx) error {
			for _, b := range db.layout.buckets {
				if tx.Bucket([]byte(b.name)) == nil {
					missing = append(missing, b)
				}
			}
			return nil
		})
	})
	return missing, err
}

func createBuckets(tx *bolt.Tx, tables []bucket) error {
	for _, b := range tables {
		if _, err := tx.CreateBucketIfNotExists([]byte(b.name)); err != nil {
			return err
		}
	}
	return nil
}
