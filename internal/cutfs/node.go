package cutfs

import (
	"context"
	"maps"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is an inode as go-fuse sees it. It holds no state: there may be several
// of one inode.
type node struct {
	fs.Inode
	disk  *disk
	inode *inode
}

var (
	_ fs.NodeLookuper  = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
	_ fs.NodeCreater   = (*node)(nil)
	_ fs.NodeMkdirer   = (*node)(nil)
	_ fs.NodeLinker    = (*node)(nil)
	_ fs.NodeUnlinker  = (*node)(nil)
	_ fs.NodeRmdirer   = (*node)(nil)
	_ fs.NodeRenamer   = (*node)(nil)
	_ fs.NodeReaddirer = (*node)(nil)
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
	_ fs.NodeStatfser  = (*node)(nil)
)

// stat fills in what programs see of an inode. The caller holds the lock.
func (n *inode) stat(out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink, out.Blksize = n.ino, n.mode|n.kind(), 1, pageSize
	if n.file != nil {
		out.Size = uint64(n.file.live.size)
		out.Blocks = uint64(len(n.file.live.pages)) * pageSize / sectorSize
	}
	out.Owner = *fuse.CurrentOwner()
}

func (n *inode) kind() uint32 {
	if n.file == nil {
		return syscall.S_IFDIR
	}
	return syscall.S_IFREG
}

// child is the node of an inode that has a name in n.
func (n *node) child(ctx context.Context, of *inode, out *fuse.EntryOut) *fs.Inode {
	n.disk.mu.Lock()
	of.stat(&out.Attr)
	n.disk.mu.Unlock()
	return n.NewInode(ctx, &node{disk: n.disk, inode: of}, fs.StableAttr{Mode: of.kind(), Ino: of.ino})
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	var found *inode
	errno := n.disk.do(func() syscall.Errno {
		if found = n.inode.live[name]; found == nil {
			return syscall.ENOENT
		}
		return 0
	})
	if errno != 0 {
		return nil, errno
	}
	return n.child(ctx, found, out), 0
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		n.inode.stat(&out.Attr)
		return 0
	})
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		if mode, ok := in.GetMode(); ok {
			n.inode.mode = mode & 0o7777
		}
		if size, ok := in.GetSize(); ok && n.inode.file != nil {
			n.inode.truncate(int64(size))
		}
		n.inode.stat(&out.Attr)
		return 0
	})
}

func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	made, errno := n.disk.create(n.inode, name, mode, false)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	return n.child(ctx, made, out), nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	made, errno := n.disk.create(n.inode, name, mode, true)
	if errno != 0 {
		return nil, errno
	}
	return n.child(ctx, made, out), 0
}

func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	of := target.(*node).inode
	if errno := n.disk.link(n.inode, name, of); errno != 0 {
		return nil, errno
	}
	return n.child(ctx, of, out), 0
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.disk.remove(n.inode, name)
}

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.disk.remove(n.inode, name)
}

func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL
	}
	return n.disk.rename(n.inode, name, to.(*node).inode, newName)
}

func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	var list []fuse.DirEntry
	errno := n.disk.do(func() syscall.Errno {
		for _, name := range slices.Sorted(maps.Keys(n.inode.live)) {
			child := n.inode.live[name]
			list = append(list, fuse.DirEntry{Name: name, Mode: child.kind(), Ino: child.ino})
		}
		return 0
	})
	return fs.NewListDirStream(list), errno
}

// Open leaves the kernel's cache alone, which has the pages of maps.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, n.disk.do(func() syscall.Errno {
		if flags&syscall.O_TRUNC != 0 {
			n.inode.truncate(0)
		}
		return 0
	})
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, p []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	var got int
	errno := n.disk.do(func() syscall.Errno {
		got = n.inode.file.live.readAt(p, off)
		return 0
	})
	return fuse.ReadResultData(p[:got]), errno
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, p []byte, off int64) (uint32, syscall.Errno) {
	return uint32(len(p)), n.disk.do(func() syscall.Errno {
		n.inode.writeAt(p, off)
		return 0
	})
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.disk.sync(n.inode)
}

// Statfs says that there is space: a disk that is full is another test.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen = pageSize, pageSize, 255
	out.Blocks, out.Bfree, out.Bavail = 1<<20, 1<<20, 1<<20
	return 0
}
