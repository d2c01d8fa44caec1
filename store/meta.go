package store

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// Meta is what can be read while sealed. It is not encrypted.
type Meta struct {
	Schema    int       `json:"-"` // of the file; set by Init and by migrations
	Instance  id.ID     `json:"instance"`
	CreatedAt time.Time `json:"created_at"`

	// The store key, wrapped by the HSM, and the KEK it is wrapped under.
	KEK      []byte `json:"kek"`
	StoreKey []byte `json:"store_key"`

	// Blobs are whatever else the appliance must read before it can unseal.
	Blobs map[string][]byte `json:"blobs,omitempty"`
}

// Names of Blobs: public halves and handles of the signing keys, as JSON of
// what made them.
const (
	BlobTokenKey = "token-key"
	BlobAuditKey = "audit-key"
)

// KeyAAD binds the wrapped store key to its appliance.
func (m Meta) KeyAAD() []byte {
	return append([]byte("oneclawd store key 1\n"), m.Instance[:]...)
}

// The meta bucket. The schema is a record of its own, in decimal, so that any
// version can read it before it trusts the rest.
var (
	metaBucket = []byte("meta")
	keySchema  = []byte("schema")
	keyHead    = []byte("head")
)

// head is the record under keyHead.
type head struct {
	Meta
	// KeyCheck is derived from the store key and tells nothing about it.
	KeyCheck []byte `json:"key_check"`
}

// Meta returns what is known while sealed, ErrEmpty before Init.
func (db *DB) Meta() (Meta, error) {
	h, err := db.readHead()
	return h.Meta, err
}

func (db *DB) readHead() (h head, err error) {
	err = guard(func() error {
		return db.bolt.View(func(tx *bolt.Tx) (err error) {
			h, err = db.loadHead(tx)
			return err
		})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return h, err
}

func (db *DB) loadHead(tx *bolt.Tx) (h head, err error) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return head{}, ErrEmpty
	}
	schema, err := strconv.Atoi(string(b.Get(keySchema)))
	if err != nil {
		return head{}, ErrFileDamaged.Because(fmt.Errorf("meta: schema: %w", err))
	}
	if known := db.layout.schema; schema > known {
		return head{}, ErrNewer.Detail("the data was written by a newer oneclawd (schema %d, this one knows %d) and is left alone; install that version again, or restore a backup from before the upgrade with this one", schema, known)
	}
	if schema < 1 {
		return head{}, ErrFileDamaged.Because(fmt.Errorf("meta: schema %d", schema))
	}
	if err := json.Unmarshal(b.Get(keyHead), &h); err != nil {
		return head{}, ErrFileDamaged.Because(fmt.Errorf("meta: head: %w", err))
	}
	h.Schema = schema
	return h, nil
}

func saveHead(tx *bolt.Tx, h head) error {
	b, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := b.Put(keySchema, strconv.AppendInt(nil, int64(h.Schema), 10)); err != nil {
		return err
	}
	return b.Put(keyHead, raw)
}

// checkSchema refuses a file of a newer oneclawd; an empty file is fine.
func (db *DB) checkSchema() error {
	if _, err := db.Meta(); err != nil && !errors.Is(err, ErrEmpty) {
		return err
	}
	return nil
}

// Init makes the file one of this schema, for the store key that m holds in
// wrapped form. The file stays sealed.
func (db *DB) Init(m Meta, key plain.Bytes) error {
	keys, err := newKeyring(key.Reveal())
	if err != nil {
		return err
	}
	defer keys.wipe()
	db.grouping.Lock()
	defer db.grouping.Unlock()
	return db.direct(func(tx *bolt.Tx) error {
		if tx.Bucket(metaBucket) != nil {
			return ErrNotEmpty
		}
		m.Schema = db.layout.schema
		if err := saveHead(tx, head{Meta: m, KeyCheck: keys.check}); err != nil {
			return err
		}
		return createBuckets(tx, db.layout.buckets)
	})
}

// UpdateMeta changes Meta in one durable step, as when the store key is
// wrapped anew. The schema stays as it is.
func (db *DB) UpdateMeta(fn func(*Meta) error) error {
	db.grouping.Lock()
	defer db.grouping.Unlock()
	return db.direct(func(tx *bolt.Tx) error {
		h, err := db.loadHead(tx)
		if err != nil {
			return err
		}
		schema := h.Schema
		if err := fn(&h.Meta); err != nil {
			return err
		}
		h.Schema = schema
		return saveHead(tx, h)
	})
}

// Unseal takes the store key. It copies what it needs: the caller wipes key. A
// file of an older schema is Outdated then, and changed by nothing but Migrate.
func (db *DB) Unseal(key plain.Bytes) error {
	db.grouping.Lock()
	defer db.grouping.Unlock()
	h, err := db.readHead()
	if err != nil {
		return err
	}
	keys, err := newKeyring(key.Reveal())
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(keys.check, h.KeyCheck) != 1 {
		keys.wipe()
		return ErrWrongKey
	}
	if db.keys != nil { // already unsealed, with this key
		keys.wipe()
		return nil
	}
	outdated := 0
	if h.Schema < db.layout.schema {
		outdated = h.Schema
	} else if err := db.addTables(); err != nil {
		keys.wipe()
		return err
	}
	newest, err := db.visible()
	if err != nil {
		keys.wipe()
		return err
	}
	db.using.Lock()
	defer db.using.Unlock()
	db.cache.latest.Store(uint64(newest))
	db.keys, db.outdated = keys, outdated
	db.unsealed.Store(true)
	return nil
}
