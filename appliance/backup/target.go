package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/oneclaw/oneclawd/store"
)

// Names in the data folder. Those of the state are made here, as the appliance
// expects them.
const (
	stateFile  = "state.db"
	eventsDir  = "events"
	partialDir = ".partial"
)

// bystanders may be in the folder to restore into: the local module's keys and
// the certificates, which no backup holds and which may have to be there first.
var bystanders = []string{"keys", "tls", "lost+found", partialDir}

// CheckTarget says why a backup of the instance cannot be restored into dir.
func CheckTarget(dir string, m Manifest) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup: looking into the folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if slices.Contains(names, stateFile) {
		return occupied(filepath.Join(dir, stateFile), m)
	}
	// events/ beside .partial is what a restore leaves that was killed between
	// its last two steps; it is made good by doing it again.
	unfinished := slices.Contains(names, partialDir)
	for _, name := range names {
		if !slices.Contains(bystanders, name) && !(unfinished && name == eventsDir) {
			return ErrTarget.Detail("the folder to restore into is not empty: it has %q; choose an empty one", name)
		}
	}
	return nil
}

// occupied tells whose data is there.
func occupied(path string, m Manifest) error {
	db, err := store.Open(store.Config{Path: path})
	if errors.Is(err, store.ErrInUse) {
		return ErrTarget.Detail("a running oneclawd uses the folder to restore into; stop it and choose an empty folder")
	}
	if err != nil {
		return ErrTarget.Detail("the folder to restore into holds a data file; move it away first").Because(err)
	}
	defer func() { _ = db.Close() }()
	meta, err := db.Meta()
	switch {
	case err != nil:
		return ErrTarget.Detail("the folder to restore into holds a data file; move it away first").Because(err)
	case meta.Instance != m.Instance:
		return ErrTarget.Detail("the folder to restore into holds the data of another appliance, %s; the backup is of %s", meta.Instance, m.Instance)
	}
	return ErrTarget.Detail("the folder to restore into holds this appliance's data; move it away first")
}

// publish moves what was restored to its names, the data file last: without it
// there is no appliance, so nobody starts on a part of one.
func publish(partial, dir string) error {
	if err := syncTree(partial); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, eventsDir)); err != nil { // of a restore that was killed here
		return err
	}
	for _, name := range []string{eventsDir, stateFile} {
		if err := os.Rename(filepath.Join(partial, name), filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := syncPath(dir); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	return errors.Join(syncPath(dir), syncPath(filepath.Dir(dir)))
}

// syncTree makes a folder durable, with all that is in it.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
}
