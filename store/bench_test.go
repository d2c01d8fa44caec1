package store

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// benchThing is about as large as a secret's record.
type benchThing struct {
	Path, Type, By string
	Tags           []string
	N              int
}

var (
	benchThings = table[benchThing]{name: "things", version: 1}
	benchValue  = benchThing{
		Path: "production/payments/stripe/api-key", Type: "api_key",
		By: "0197a0b2-6a5e-7c3c-9d6e-000000000000", Tags: []string{"pci", "payments"},
	}
)

func benchKey(n uint64) []byte {
	key := make([]byte, 32) // two identifiers
	binary.BigEndian.PutUint64(key, n*0x9E3779B97F4A7C15)
	return key
}

func BenchmarkUpdate(b *testing.B) {
	for _, puts := range []int{1, 3} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("puts=%d/writers=%d", puts, writers), func(b *testing.B) {
				db := openTest(b)
				var n atomic.Uint64
				b.SetParallelism(max(1, writers/2)) // on 2 cores
				if writers == 1 {
					for b.Loop() {
						benchUpdate(b, db, &n, puts)
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						benchUpdate(b, db, &n, puts)
					}
				})
			})
		}
	}
}

func benchUpdate(b *testing.B, db *DB, n *atomic.Uint64, puts int) {
	err := db.update(bg, func(tx *Tx) error {
		for range puts {
			if err := benchThings.put(tx, benchKey(n.Add(1)), benchValue); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

// fillBench puts n things, and a value of 300 bytes for each.
func fillBench(b *testing.B, db *DB, n int) {
	value := make([]byte, 300)
	_, _ = rand.Read(value)
	for i := 0; i < n; {
		err := db.update(bg, func(tx *Tx) error {
			for range min(5000, n-i) {
				if err := benchThings.put(tx, benchKey(uint64(i)), benchValue); err != nil {
					return err
				}
				if err := blobs.put(tx, binary.BigEndian.AppendUint64(nil, uint64(i)), value); err != nil {
					return err
				}
				i++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkView(b *testing.B) {
	db := openTest(b)
	fillBench(b, db, 100_000)
	read := func(b *testing.B, i uint64) {
		err := db.view(bg, func(tx *Tx) error {
			_, _, err := benchThings.get(tx, benchKey(i))
			return err
		})
		if err != nil {
			b.Error(err)
		}
	}
	b.Run("hot", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			read(b, i%100)
		}
	})
	b.Run("hot/parallel", func(b *testing.B) {
		var n atomic.Uint64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				read(b, n.Add(1)%100)
			}
		})
	})
	b.Run("cold", func(b *testing.B) {
		db.cache.limit = 0
		for i := uint64(0); b.Loop(); i++ {
			read(b, i%100_000)
		}
	})
}

// BenchmarkReopen is what a restart waits for in the store.
func BenchmarkReopen(b *testing.B) {
	db := openTest(b)
	fillBench(b, db, 100_000)
	path := db.cfg.Path
	b.Run("open", func(b *testing.B) {
		b.ReportMetric(float64(db.Stats().Bytes)/1e6, "MB")
		for b.Loop() {
			_ = db.Close()
			db = benchOpen(b, path)
		}
	})
	_ = db.Close()
	b.Run("check=quick", func(b *testing.B) {
		for b.Loop() {
			if err := checkFile(path, false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check=full", func(b *testing.B) {
		for b.Loop() {
			if err := checkFile(path, true); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchOpen(b *testing.B, path string) *DB {
	db, err := open(Config{Path: path}, testLayout)
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		b.Fatal(err)
	}
	err = db.view(bg, func(tx *Tx) error { _, _, err := benchThings.get(tx, benchKey(7)); return err })
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func BenchmarkSeal(b *testing.B) {
	s := testSealer(b)
	rec := make([]byte, 300)
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.seal("things", 1, testKey, rec)
		}
	})
	sealed := s.seal("things", 1, testKey, rec)
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.open("things", testKey, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
