package store

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// migration brings a file from schema to-1 to schema to. It runs in one
// transaction at Unseal, with everything else still closed. For each there is
// a file of the schema before in testdata.
type migration struct {
	to  int
	run func(*bolt.Tx, *keyring) error
}

// migrate runs the migrations that a file of schema from still needs, and
// makes the buckets of tables that are new.
func (db *DB) migrate(from int, keys *keyring) error {
	for _, m := range db.layout.migrations {
		if m.to <= from {
			continue
		}
		if err := db.direct(func(tx *bolt.Tx) error { return db.apply(tx, m, keys) }); err != nil {
			return fmt.Errorf("store: migrating to schema %d: %w", m.to, err)
		}
	}
	missing, err := db.missingBuckets()
	if err != nil || len(missing) == 0 {
		return err
	}
	return db.direct(func(tx *bolt.Tx) error { return createBuckets(tx, missing) })
}

func (db *DB) apply(tx *bolt.Tx, m migration, keys *keyring) error {
	h, err := db.loadHead(tx)
	if err != nil {
		return err
	}
	if err := m.run(tx, keys); err != nil {
		return err
	}
	h.Schema = m.to
	return saveHead(tx, h)
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
