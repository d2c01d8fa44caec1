package auditstream

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// asideTime is what the name of a file that was put aside ends with: names sort by
// time.
const asideTime = "20060102T150405.000000000Z"

// rotate puts the file aside and removes those that are too many. After a crash
// in between there is no file, or one too many; the next Send makes good for it.
func (s *File) rotate() error {
	at := time.Now().UTC()
	for {
		aside := s.Path + "." + at.Format(asideTime)
		_, err := os.Lstat(aside)
		if err == nil { // the clock was set back; Rename would replace it
			at = at.Add(1)
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(s.Path, aside); err != nil {
			return err
		}
		break
	}
	dir := filepath.Dir(s.Path)
	if err := syncDir(dir); err != nil {
		return err
	}
	return s.prune(dir)
}

// prune removes the oldest files that were put aside, but Keep.
func (s *File) prune(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var aside []string
	for _, e := range entries {
		stamp, ours := strings.CutPrefix(e.Name(), filepath.Base(s.Path)+".")
		if _, err := time.Parse(asideTime, stamp); ours && err == nil && e.Type().IsRegular() {
			aside = append(aside, e.Name())
		}
	}
	slices.Sort(aside)
	for _, old := range aside[:max(0, len(aside)-s.Keep)] {
		if err := os.Remove(filepath.Join(dir, old)); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
