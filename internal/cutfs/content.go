package cutfs

import (
	"maps"
	"slices"
)

const (
	pageSize   = 4096
	sectorSize = 512
)

// page is never changed while both the live file and the disk have it.
type page = [pageSize]byte

// content is what is in a file. A page that is missing is zeros.
type content struct {
	size  int64
	pages map[int64]*page
}

func (c *content) readAt(p []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		in := at % pageSize
		n := min(len(p)-done, int(pageSize-in))
		if pg := c.pages[at/pageSize]; pg != nil {
			copy(p[done:done+n], pg[in:])
		} else {
			clear(p[done : done+n])
		}
		done += n
	}
	return len(p)
}

// shorten cuts the content at size, with zeros behind it.
func (c *content) shorten(size int64) {
	c.size = min(c.size, size)
	maps.DeleteFunc(c.pages, func(i int64, _ *page) bool { return i*pageSize >= c.size })
	if last, in := c.size/pageSize, c.size%pageSize; c.pages[last] != nil {
		pg := *c.pages[last]
		clear(pg[in:])
		c.pages[last] = &pg
	}
}

// file is a file as programs see it and as the disk has it.
type file struct {
	live, disk content
	dirty      map[int64]bool // pages of live that are not on the disk
	shortened  bool           // since the last sync,
	shortest   int64          // to this size
	extended   int64          // the size it was given since then, without writing so far
}

func newFile() *file {
	return &file{
		live: content{pages: map[int64]*page{}}, disk: content{pages: map[int64]*page{}}, dirty: map[int64]bool{},
	}
}

func (f *file) writeAt(p []byte, off int64) {
	for len(p) > 0 {
		i, in := off/pageSize, off%pageSize
		if !f.dirty[i] {
			pg := new(page)
			if old := f.live.pages[i]; old != nil {
				*pg = *old
			}
			f.live.pages[i], f.dirty[i] = pg, true
		}
		n := copy(f.live.pages[i][in:], p)
		p, off = p[n:], off+int64(n)
	}
	f.live.size = max(f.live.size, off)
}

func (f *file) truncate(size int64) {
	if size < f.live.size {
		if !f.shortened || size < f.shortest {
			f.shortened, f.shortest = true, size
		}
		f.live.shorten(size)
		maps.DeleteFunc(f.dirty, func(i int64, _ bool) bool { return i*pageSize >= size })
		if f.live.pages[size/pageSize] != nil {
			f.dirty[size/pageSize] = true
		}
	}
	f.live.size, f.extended = size, size
}

func (f *file) sync() {
	if f.shortened {
		f.disk.shorten(f.shortest)
	}
	for i := range f.dirty {
		f.disk.pages[i] = f.live.pages[i]
	}
	f.disk.size = f.live.size
	f.shortened, f.extended = false, 0
	clear(f.dirty)
}

// cut decides which of the pages that are not synced reach the disk: percent of
// them, on average.
func (f *file) cut(dice Dice, percent int) {
	if f.shortened {
		if dice.IntN(2) == 0 {
			return
		}
		f.disk.shorten(f.shortest)
	}
	end := f.disk.size
	for _, i := range slices.Sorted(maps.Keys(f.dirty)) {
		if dice.IntN(100) >= percent {
			continue
		}
		pg, whole := *f.live.pages[i], int64(pageSize)
		if dice.IntN(8) == 0 {
			whole = tear(&pg, f.disk.pages[i], dice)
		}
		f.disk.pages[i] = &pg
		end = max(end, min(i*pageSize+whole, f.live.size))
	}
	if f.extended > end && dice.IntN(2) == 0 {
		end = f.extended
	}
	f.disk.size = end
}

// tear leaves the first sectors of pg, puts those of old behind them, and returns
// how many bytes it has left.
func tear(pg, old *page, dice Dice) int64 {
	at := sectorSize * (1 + dice.IntN(pageSize/sectorSize-1))
	if old == nil {
		old = new(page)
	}
	copy(pg[at:], old[at:])
	return int64(at)
}
