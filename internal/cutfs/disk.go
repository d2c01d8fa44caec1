package cutfs

import (
	"maps"
	"slices"
	"sync"
	"syscall"
)

// inode is a file or a folder.
type inode struct {
	ino   uint64
	mode  uint32 // permissions
	name  string // the last it was given, for OnSync
	syncs int    // how often it was synced

	*file                        // nil for a folder
	live, kept map[string]*inode // of a folder: the names, and those on the disk
}

// change is what one operation did to directories. All its edits reach the disk
// or none.
type change struct {
	edits []edit
	of    *inode // what got or lost a name
}

type edit struct {
	dir   *inode
	name  string
	child *inode // nil: the name is gone
}

func (c change) touches(n *inode) bool {
	return c.of == n || slices.ContainsFunc(c.edits, func(e edit) bool { return e.dir == n })
}

// disk is the file system without its mount. Its methods lock; once it is cut
// they fail with EIO.
type disk struct {
	dice   Dice
	onSync func(Sync) Verdict

	mu      sync.Mutex
	root    *inode
	inodes  uint64
	journal []change // not durable yet, oldest first
	down    chan struct{}
}

func newDisk(dice Dice, onSync func(Sync) Verdict) *disk {
	d := &disk{dice: dice, onSync: onSync, down: make(chan struct{})}
	d.root = d.newInode(0o700, true)
	return d
}

func (d *disk) newInode(mode uint32, folder bool) *inode {
	d.inodes++
	n := &inode{ino: d.inodes, mode: mode & 0o7777}
	if folder {
		n.live, n.kept = map[string]*inode{}, map[string]*inode{}
	} else {
		n.file = newFile()
	}
	return n
}

func (d *disk) isDown() bool {
	select {
	case <-d.down:
		return true
	default:
		return false
	}
}

// do runs fn while there is power.
func (d *disk) do(fn func() syscall.Errno) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isDown() {
		return syscall.EIO
	}
	return fn()
}

// apply makes a change visible and notes that it is not durable.
func (d *disk) apply(of *inode, edits ...edit) {
	for _, e := range edits {
		e.set(e.dir.live)
	}
	d.journal = append(d.journal, change{edits, of})
}

func (e edit) set(names map[string]*inode) {
	if e.child == nil {
		delete(names, e.name)
		return
	}
	names[e.name], e.child.name = e.child, e.name
}

// harden makes the first n changes of the journal durable.
func (d *disk) harden(n int) {
	for _, c := range d.journal[:n] {
		for _, e := range c.edits {
			e.set(e.dir.kept)
		}
	}
	d.journal = slices.Clone(d.journal[n:])
}

func (d *disk) create(dir *inode, name string, mode uint32, folder bool) (n *inode, _ syscall.Errno) {
	return n, d.do(func() syscall.Errno {
		if dir.live[name] != nil {
			return syscall.EEXIST
		}
		n = d.newInode(mode, folder)
		d.apply(n, edit{dir, name, n})
		return 0
	})
}

func (d *disk) link(dir *inode, name string, n *inode) syscall.Errno {
	return d.do(func() syscall.Errno {
		if dir.live[name] != nil {
			return syscall.EEXIST
		}
		d.apply(n, edit{dir, name, n})
		return 0
	})
}

func (d *disk) remove(dir *inode, name string) syscall.Errno {
	return d.do(func() syscall.Errno {
		n := dir.live[name]
		switch {
		case n == nil:
			return syscall.ENOENT
		case len(n.live) > 0:
			return syscall.ENOTEMPTY
		}
		d.apply(n, edit{dir, name, nil})
		return 0
	})
}

func (d *disk) rename(from *inode, old string, to *inode, name string) syscall.Errno {
	return d.do(func() syscall.Errno {
		n, target := from.live[old], to.live[name]
		switch {
		case n == nil:
			return syscall.ENOENT
		case n == target:
			return 0
		case target != nil && len(target.live) > 0:
			return syscall.ENOTEMPTY
		}
		d.apply(n, edit{from, old, nil}, edit{to, name, n})
		return 0
	})
}

// sync makes n durable, unless onSync has it otherwise.
func (d *disk) sync(n *inode) syscall.Errno {
	return d.do(func() syscall.Errno {
		n.syncs++
		verdict := Done
		if d.onSync != nil {
			verdict = d.onSync(Sync{Name: n.name, N: n.syncs})
		}
		switch verdict {
		case Swallowed:
			return 0
		case CutBefore:
			d.cutLocked()
			return syscall.EIO
		}
		if n.file != nil {
			n.file.sync()
		}
		last := 0
		for i, c := range d.journal {
			if c.touches(n) {
				last = i + 1
			}
		}
		d.harden(last)
		if verdict == CutAfter {
			d.cutLocked()
			return syscall.EIO
		}
		return 0
	})
}

func (d *disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutLocked()
}

// cutLocked decides what is on the disk. Cutting twice is fine.
func (d *disk) cutLocked() {
	if d.isDown() {
		return
	}
	d.harden(d.dice.IntN(len(d.journal) + 1))
	percent := d.dice.IntN(101)
	d.root.walkKept(map[*inode]bool{}, func(n *inode) {
		if n.file != nil {
			n.file.cut(d.dice, percent)
		}
	})
	close(d.down)
}

// flush makes everything durable, as unmounting a disk does.
func (d *disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isDown() {
		return
	}
	d.harden(len(d.journal))
	d.root.walkKept(map[*inode]bool{}, func(n *inode) {
		if n.file != nil {
			n.file.sync()
		}
	})
}

// walkKept calls fn once for each inode on the disk, in the order of names.
func (n *inode) walkKept(seen map[*inode]bool, fn func(*inode)) {
	if seen[n] {
		return
	}
	seen[n] = true
	fn(n)
	for _, name := range slices.Sorted(maps.Keys(n.kept)) {
		n.kept[name].walkKept(seen, fn)
	}
}
