package cutfs

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Sync is an fsync, fdatasync or msync that a program asks for.
type Sync struct {
	Name string // of the file or folder, without its folders; "" for the root
	N    int    // how often it has been synced since the mount, this one included
}

// Verdict is what becomes of a Sync.
type Verdict int

// The verdicts. A program that is cut off gets EIO for its sync, done or not.
const (
	Done      Verdict = iota // as it should be
	CutBefore                // the power goes, and nothing was synced
	CutAfter                 // it is synced, and then the power goes
	Swallowed                // it is reported as done, and nothing was synced
)

// Options is all there is to choose.
type Options struct {
	Dice   Dice
	OnSync func(Sync) Verdict // called for one sync at a time; nil: all are Done
}

// FS is a mounted file system.
type FS struct {
	disk    *disk
	server  *fuse.Server
	backing string
	mount   string
}

// Mount serves what is in the folder backing at the folder mount, to this user
// only. It takes root and /dev/fuse.
func Mount(backing, mount string, o Options) (*FS, error) {
	d := newDisk(o.Dice, o.OnSync)
	if err := d.load(backing); err != nil {
		return nil, err
	}
	hour := time.Hour // nobody else changes anything
	server, err := fs.Mount(mount, &node{disk: d, inode: d.root}, &fs.Options{
		EntryTimeout: &hour, AttrTimeout: &hour,
		RootStableAttr: &fs.StableAttr{Ino: d.root.ino},
		MountOptions: fuse.MountOptions{
			Name: "cutfs", FsName: "cutfs", DirectMountStrict: true, DisableXAttrs: true,
			// The cache is right until the kernel is told otherwise.
			ExplicitDataCacheControl: true,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cutfs: mounting: %w", err)
	}
	return &FS{disk: d, server: server, backing: backing, mount: mount}, nil
}

// Down is closed once the power is cut.
func (f *FS) Down() <-chan struct{} { return f.disk.down }

// Cut cuts the power. Cutting twice is fine.
func (f *FS) Cut() {
	f.disk.mu.Lock()
	wet := f.disk.dice.IntN(2) == 0
	f.disk.mu.Unlock()
	if wet {
		f.writeBack()
	}
	f.disk.cut()
}

// writeBack has the kernel send what programs wrote through maps. That it fails
// is fine: then the power was cut already.
func (f *FS) writeBack() {
	root, err := os.OpenRoot(f.mount)
	if err != nil {
		return
	}
	defer root.Close()
	_ = iofs.WalkDir(root.FS(), ".", func(path string, e iofs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		file, err := root.Open(path)
		if err != nil {
			return nil
		}
		defer file.Close()
		_ = unix.SyncFileRange(int(file.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER)
		return nil
	})
}

// unmountWait is how long Unmount waits for programs to let go of their files.
const unmountWait = 30 * time.Second

// Unmount ends the mount and leaves in the backing folder what is on the disk:
// after a cut what survived it, and otherwise everything. No program may have a
// file open any more.
func (f *FS) Unmount() error {
	err := f.server.Unmount()
	for end := time.Now().Add(unmountWait); err != nil && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		err = f.server.Unmount()
	}
	if err != nil {
		// Whoever still has it open must not hang, nor the caller.
		err = fmt.Errorf("cutfs: unmounting: %w", err)
		return errors.Join(err, unix.Unmount(f.mount, unix.MNT_DETACH|unix.MNT_FORCE))
	}
	f.disk.flush()
	return f.disk.save(f.backing)
}
