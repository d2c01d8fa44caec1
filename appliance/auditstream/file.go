package auditstream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// File appends events to a file of JSON lines, of mode 0600. What Send was given
// is on the disk when it returns. The file is opened for each batch: whoever moves
// it away finds a new one in its place.
type File struct {
	Path     string
	MaxBytes int64         // a file that would become larger is put aside first
	MaxAge   time.Duration // so is one whose first event is older than the next by this; 0 means never
	Keep     int           // files that were put aside; older ones are removed
}

// Send implements Sink.
func (s *File) Send(ctx context.Context, events []Event) error {
	for len(events) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.append(events)
		if err != nil {
			return fmt.Errorf("auditstream: the file of events: %w", err)
		}
		if events = events[n:]; len(events) > 0 {
			if err := s.rotate(); err != nil {
				return fmt.Errorf("auditstream: putting the file of events aside: %w", err)
			}
		}
	}
	return nil
}

// append writes as many events as the file has room for, which are n.
func (s *File) append(events []Event) (n int, err error) {
	f, err := os.OpenFile(s.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := prepare(f)
	if err != nil {
		return 0, err
	}
	first := began(f)
	var lines bytes.Buffer
	for _, e := range events {
		empty := size == 0 && lines.Len() == 0
		if !empty && (size+int64(lines.Len()+len(e.JSON)+1) > s.MaxBytes || s.MaxAge > 0 && !first.IsZero() && e.CreatedAt.Sub(first) >= s.MaxAge) {
			break
		}
		if empty {
			first = e.CreatedAt
		}
		lines.Write(e.JSON)
		lines.WriteByte('\n')
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if _, err := f.Write(lines.Bytes()); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if size == 0 { // the name has to survive as well
		err = syncDir(filepath.Dir(s.Path))
	}
	return n, err
}

// prepare makes an opened file one that can be appended to and returns its size.
// A last line without its end was cut off by a crash or a full disk. It was never
// confirmed, so it is removed; the event is written again.
func prepare(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a regular file", f.Name())
	}
	if info.Mode().Perm() != 0o600 {
		if err := f.Chmod(0o600); err != nil {
			return 0, err
		}
	}
	end := info.Size()
	for block := make([]byte, 4096); end > 0; {
		from := max(0, end-int64(len(block)))
		part := block[:end-from]
		if _, err := f.ReadAt(part, from); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			end = from + int64(i) + 1
			break
		}
		end = from
	}
	if end < info.Size() {
		err = f.Truncate(end)
	}
	return end, err
}

// began is when the first event of a file was, zero if it does not say.
func began(f *os.File) time.Time {
	line, _ := bufio.NewReader(io.NewSectionReader(f, 0, MaxMessage)).ReadBytes('\n')
	var e struct {
		CreatedAt time.Time `json:"created_at"`
	}
	_ = json.Unmarshal(line, &e)
	return e.CreatedAt
}
