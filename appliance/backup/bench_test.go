package backup_test

import (
	"bytes"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
)

// bigWorld has about 40 MB.
func bigWorld(b *testing.B) *world {
	w := newWorld(b)
	for i := range 40 {
		w.ok(w.putBig(i, 1<<20))
	}
	return w
}

func BenchmarkCreate(b *testing.B) {
	w := bigWorld(b)
	for b.Loop() {
		m := must(backup.Create(w.ctx, w.source(), io.Discard, nil))(b)
		b.SetBytes(m.Bytes)
	}
}

func BenchmarkVerify(b *testing.B) {
	w := bigWorld(b)
	file := w.backup()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		must(backup.Verify(w.ctx, bytes.NewReader(file), w.vkey, nil))(b)
	}
}

// BenchmarkReads is a read of a secret: alone, while backups are made one after
// another at the pace of a daemon that serves, and at full speed.
func BenchmarkReads(b *testing.B) {
	for _, c := range []struct {
		name   string
		during bool
		pace   func() func(backup.Progress)
	}{
		{"alone", false, nil},
		{"during paced backups", true, backup.Pace},
		{"during backups at full speed", true, func() func(backup.Progress) { return nil }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := bigWorld(b)
			w.put(100, 116)
			var stop atomic.Bool
			done := make(chan int64)
			go func() {
				n := int64(0)
				for !stop.Load() {
					if !c.during {
						time.Sleep(time.Millisecond)
						continue
					}
					m, err := backup.Create(w.ctx, w.source(), io.Discard, c.pace())
					if err != nil {
						b.Error(err)
					}
					n += m.Bytes
				}
				done <- n
			}()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if w.get(100+i%16) == "" {
						b.Error("not read")
					}
				}
			})
			stop.Store(true)
			b.ReportMetric(float64(<-done)/1e6/b.Elapsed().Seconds(), "backup-MB/s")
		})
	}
}
