package attesttest

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// MountTSM mounts a folder that answers as configfs-tsm of m does, and returns its
// path. It is unmounted when the test ends. The test is skipped where nothing can
// be mounted: that takes root and /dev/fuse.
func MountTSM(tb testing.TB, m *Machine) string {
	tb.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Geteuid() != 0 {
		tb.Skip("mounting takes root and /dev/fuse")
	}
	dir := tb.TempDir()
	server, err := fs.Mount(dir, &tsmRoot{machine: m}, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "fake-configfs-tsm", AllowOther: true},
	})
	if err != nil {
		tb.Skipf("mounting: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			tb.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

// tsmRoot is the folder in which entries are made.
type tsmRoot struct {
	fs.Inode
	machine *Machine
}

var (
	_ fs.NodeMkdirer = (*tsmRoot)(nil)
	_ fs.NodeRmdirer = (*tsmRoot)(nil)
)

// Mkdir makes an entry with its files.
func (r *tsmRoot) Mkdir(ctx context.Context, _ string, _ uint32, _ *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	entry := &tsmEntry{machine: r.machine}
	return r.NewInode(ctx, entry, fs.StableAttr{Mode: syscall.S_IFDIR}), 0
}

// Rmdir removes an entry with its files, as configfs does.
func (r *tsmRoot) Rmdir(context.Context, string) syscall.Errno { return 0 }

// tsmEntry is one request and its answer.
type tsmEntry struct {
	fs.Inode
	machine *Machine

	mu         sync.Mutex // guards the rest
	inblob     []byte
	privlevel  uint64
	generation int
}

var _ fs.NodeOnAdder = (*tsmEntry)(nil)

// OnAdd makes the files.
func (e *tsmEntry) OnAdd(ctx context.Context) {
	for _, name := range []string{"provider", "generation", "outblob", "auxblob", "privlevel_floor"} {
		e.AddChild(name, e.NewPersistentInode(ctx, &tsmFile{entry: e, name: name}, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	}
	for _, name := range []string{"inblob", "privlevel"} {
		e.AddChild(name, e.NewPersistentInode(ctx, &tsmFile{entry: e, name: name}, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	}
}

// read is the text of a file.
func (e *tsmEntry) read(name string) ([]byte, syscall.Errno) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch name {
	case "provider":
		return []byte("sev_guest\n"), 0
	case "privlevel_floor":
		return []byte("0\n"), 0
	case "generation":
		return []byte(strconv.Itoa(e.generation) + "\n"), 0
	case "outblob":
		if len(e.inblob) != 64 {
			return nil, syscall.EINVAL
		}
		raw, err := e.machine.Sign([64]byte(e.inblob), uint32(e.privlevel))
		if err != nil {
			return nil, syscall.EIO
		}
		return raw, 0
	case "auxblob":
		table, err := e.machine.Table()
		if err != nil {
			return nil, syscall.EIO
		}
		return table, 0
	}
	return nil, syscall.EACCES
}

// write takes one part of the request; each makes a generation.
func (e *tsmEntry) write(name string, text []byte) syscall.Errno {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch name {
	case "inblob":
		if len(text) == 0 || len(text) > 64 {
			return syscall.EINVAL
		}
		e.inblob = append([]byte(nil), text...)
	case "privlevel":
		n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 2) // 0 to 3
		if err != nil {
			return syscall.EINVAL
		}
		e.privlevel = n
	default:
		return syscall.EACCES
	}
	e.generation++
	return 0
}

// tsmFile is one file of an entry. What is read is decided when it is opened, so
// that a report read in two parts is one report.
type tsmFile struct {
	fs.Inode
	entry *tsmEntry
	name  string
}

var (
	_ fs.NodeOpener    = (*tsmFile)(nil)
	_ fs.NodeReader    = (*tsmFile)(nil)
	_ fs.NodeWriter    = (*tsmFile)(nil)
	_ fs.NodeGetattrer = (*tsmFile)(nil)
)

type tsmText struct{ text []byte }

// Getattr gives what may be done with it.
func (f *tsmFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = 0o400
	if f.name == "inblob" || f.name == "privlevel" {
		out.Mode = 0o200
	}
	return 0
}

// Open makes the answer, if it is one.
func (f *tsmFile) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return &tsmText{}, fuse.FOPEN_DIRECT_IO, 0
	}
	text, errno := f.entry.read(f.name)
	return &tsmText{text}, fuse.FOPEN_DIRECT_IO, errno
}

// Read reads it.
func (f *tsmFile) Read(_ context.Context, h fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	text := h.(*tsmText).text
	if off > int64(len(text)) {
		off = int64(len(text))
	}
	return fuse.ReadResultData(text[off:min(int64(len(text)), off+int64(len(dest)))]), 0
}

// Write takes the request.
func (f *tsmFile) Write(_ context.Context, _ fs.FileHandle, text []byte, off int64) (uint32, syscall.Errno) {
	if off != 0 {
		return 0, syscall.EINVAL
	}
	return uint32(len(text)), f.entry.write(f.name, text)
}
