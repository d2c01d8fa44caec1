package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"

	"golang.org/x/sys/unix"
)

// The format of a bbolt file (version 2), as far as its structure goes. bbolt
// has a check of its own, but it trusts lengths and page numbers that it
// reads, and so panics, in a goroutine of its own, on what it should report.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader   = 16 // id 8, flags 2, count 2, overflow 4
	metaSize     = 64
	metaSum      = 56 // offset of the checksum: what it covers
	elementSize  = 16 // of branch (pos 4, ksize 4, page 8) and leaf (flags 4, pos 4, ksize 4, vsize 4)
	bucketHeader = 16 // root page 8, sequence 8

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01

	noFreelist = ^uint64(0)
	maxDepth   = 64
)

// quickCheckBytes is the size up to which Open checks every page: 0.2 to 0.4 ms a
// megabyte if the kernel has the file in memory.
const quickCheckBytes = 64 << 20

// CheckFile reports the first thing that is wrong with the structure of the
// data file at path: every page is in the file, of the right kind, used once,
// and its keys are in order. Nobody may be writing to the file. It does not
// open records: see DB.Verify.
func CheckFile(path string) error { return checkFile(path, true) }

// checkFile checks every page if deep, else all but the leaf pages with records
// (49 of 50 pages): those are read under guard only.
func checkFile(path string, deep bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("store: opening the data file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if info.Size() == 0 {
		return nil // bbolt will initialise it
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("store: mapping the data file: %w", err)
	}
	defer func() { _ = unix.Munmap(data) }()
	return guard(func() error {
		if err := checkData(data, deep); err != nil {
			return ErrFileDamaged.Because(err)
		}
		return nil
	})
}

func checkData(data []byte, deep bool) error {
	m, err := readMeta(data)
	if err != nil {
		return err
	}
	c := &checker{meta: m, data: data, deep: deep, used: make([]uint64, m.pages/64+1)}
	if err := c.freelist(); err != nil {
		return err
	}
	return c.tree(m.root, nil, nil, 0)
}

// meta is what a meta page says.
type meta struct {
	pageSize              uint64
	root, freelist, pages uint64 // pages is the number in use: all ids are below
	txid                  uint64
}

// readMeta returns the newest valid meta page. Like bbolt it finds the second
// one by trying page sizes, since the first may be torn.
func readMeta(data []byte) (m meta, err error) {
	found := false
	consider := func(at uint64) {
		if n, ok := parseMeta(data, at); ok && (at == 0 || at == n.pageSize) && (!found || n.txid > m.txid) {
			m, found = n, true
		}
	}
	consider(0)
	if found {
		consider(m.pageSize)
	} else {
		for at := uint64(1024); at <= 1<<16; at <<= 1 {
			consider(at)
		}
	}
	if !found {
		return meta{}, fmt.Errorf("no valid meta page")
	}
	size := uint64(len(data))
	if m.pages < 3 || m.pages > size/m.pageSize {
		return meta{}, fmt.Errorf("the file is cut short: it has %d bytes and should have %d pages of %d", size, m.pages, m.pageSize)
	}
	return m, nil
}

func parseMeta(data []byte, at uint64) (m meta, ok bool) {
	if at+pageHeader+metaSize > uint64(len(data)) {
		return meta{}, false
	}
	b := data[at+pageHeader:][:metaSize]
	h := fnv.New64a()
	_, _ = h.Write(b[:metaSum])
	le := binary.NativeEndian
	m = meta{
		pageSize: uint64(le.Uint32(b[8:])),
		root:     le.Uint64(b[16:]),
		freelist: le.Uint64(b[32:]),
		pages:    le.Uint64(b[40:]),
		txid:     le.Uint64(b[48:]),
	}
	ok = le.Uint32(b) == boltMagic && le.Uint32(b[4:]) == boltVersion && le.Uint64(b[metaSum:]) == h.Sum64() &&
		m.pageSize >= 1024 && m.pageSize <= 1<<16 && m.pageSize&(m.pageSize-1) == 0
	return m, ok
}

type checker struct {
	meta
	data []byte
	deep bool
	used []uint64 // one bit a page: referenced already, by the tree or the free list
}

// use marks a page and reports whether it was marked before.
func (c *checker) use(id uint64) (again bool) {
	word, bit := &c.used[id/64], uint64(1)<<(id%64)
	again = *word&bit != 0
	*word |= bit
	return again
}

// page is one page, with those that overflow from it.
type rawPage struct {
	flags, count uint16
	body         []byte // all of it, header included
}

func (c *checker) page(id uint64) (p rawPage, err error) {
	if id < 2 || id >= c.pages {
		return p, fmt.Errorf("page %d: not in the file", id)
	}
	b := c.data[id*c.pageSize:]
	le := binary.NativeEndian
	overflow := uint64(le.Uint32(b[12:]))
	if le.Uint64(b) != id {
		return p, fmt.Errorf("page %d: says it is page %d", id, le.Uint64(b))
	}
	if overflow >= c.pages-id {
		return p, fmt.Errorf("page %d: overflows the file", id)
	}
	for i := range overflow + 1 {
		if c.use(id + i) {
			return p, fmt.Errorf("page %d: used twice", id+i)
		}
	}
	return rawPage{le.Uint16(b[8:]), le.Uint16(b[10:]), b[:(overflow+1)*c.pageSize]}, nil
}

func (c *checker) freelist() error {
	if c.meta.freelist == noFreelist {
		return nil
	}
	p, err := c.page(c.meta.freelist)
	if err != nil {
		return fmt.Errorf("free list: %w", err)
	}
	if p.flags != flagFreelist {
		return fmt.Errorf("free list: page %d is of another kind", c.meta.freelist)
	}
	le := binary.NativeEndian
	ids, n := p.body[pageHeader:], uint64(p.count)
	if n == 0xFFFF { // too many for the count: the first element has it
		n, ids = le.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return fmt.Errorf("free list: longer than its page")
	}
	for i := range n {
		id := le.Uint64(ids[8*i:])
		if id < 2 || id >= c.pages {
			return fmt.Errorf("free list: page %d is not in the file", id)
		}
		if c.use(id) {
			return fmt.Errorf("free list: page %d is listed twice", id)
		}
	}
	return nil
}

// tree checks the page id and all below it. Its keys are in [low, high); nil
// means no bound.
func (c *checker) tree(id uint64, low, high []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d: too deep", id)
	}
	p, err := c.page(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case flagBranch:
		err = c.branch(p, low, high, depth)
	case flagLeaf:
		err = c.leaf(p, low, high, depth)
	default:
		err = fmt.Errorf("kind %#x", p.flags)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// branch checks the children of p. All leaves of a tree are at one depth, so
// if the first child is one, all are.
func (c *checker) branch(p rawPage, low, high []byte, depth int) error {
	if p.count == 0 {
		return fmt.Errorf("an empty branch")
	}
	key, child, err := p.branchElement(0)
	if err != nil {
		return err
	}
	if bytes.Compare(key, low) < 0 {
		return fmt.Errorf("keys out of order")
	}
	skip := !c.deep && depth > 0 && c.isLeaf(child)
	for i := 1; i <= int(p.count); i++ {
		bound, next := high, uint64(0)
		if i < int(p.count) {
			if bound, next, err = p.branchElement(i); err != nil {
				return err
			}
			if bytes.Compare(key, bound) >= 0 {
				return fmt.Errorf("keys out of order")
			}
		}
		if skip {
			err = c.inFile(child)
		} else {
			err = c.tree(child, key, bound, depth+1)
		}
		if err != nil {
			return err
		}
		key, child = bound, next
	}
	return nil
}

// inFile is all that the quick check asks of a leaf.
func (c *checker) inFile(id uint64) error {
	if id < 2 || id >= c.pages {
		return fmt.Errorf("page %d: not in the file", id)
	}
	if c.use(id) {
		return fmt.Errorf("page %d: used twice", id)
	}
	return nil
}

func (c *checker) isLeaf(id uint64) bool {
	return id < c.pages && binary.NativeEndian.Uint16(c.data[id*c.pageSize+8:]) == flagLeaf
}

func (c *checker) leaf(p rawPage, low, high []byte, depth int) error {
	for i := range int(p.count) {
		key, value, isBucket, err := p.leafElement(i)
		if err != nil {
			return err
		}
		if order := bytes.Compare(key, low); order < 0 || order == 0 && i > 0 {
			return fmt.Errorf("keys out of order")
		}
		if high != nil && bytes.Compare(key, high) >= 0 {
			return fmt.Errorf("keys out of order")
		}
		low = key
		if isBucket {
			if err := c.bucket(value, depth); err != nil {
				return fmt.Errorf("bucket %q: %w", key, err)
			}
		}
	}
	return nil
}

// bucket checks what a bucket's value leads to: a tree, or a small leaf page
// inside the value itself.
func (c *checker) bucket(value []byte, depth int) error {
	if len(value) < bucketHeader {
		return fmt.Errorf("too short")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return c.tree(root, nil, nil, depth+1)
	}
	b := value[bucketHeader:]
	if len(b) < pageHeader {
		return fmt.Errorf("too short")
	}
	le := binary.NativeEndian
	p := rawPage{le.Uint16(b[8:]), le.Uint16(b[10:]), b}
	if p.flags != flagLeaf || depth > maxDepth {
		return fmt.Errorf("kind %#x", p.flags)
	}
	return c.leaf(p, nil, nil, depth+1)
}

func (p rawPage) branchElement(i int) (key []byte, child uint64, err error) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(p.body) {
		return nil, 0, fmt.Errorf("more elements than fit")
	}
	le := binary.NativeEndian
	pos, ksize := le.Uint32(p.body[at:]), le.Uint32(p.body[at+4:])
	key, _, err = p.span(at, pos, ksize, 0)
	return key, le.Uint64(p.body[at+8:]), err
}

func (p rawPage) leafElement(i int) (key, value []byte, isBucket bool, err error) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(p.body) {
		return nil, nil, false, fmt.Errorf("more elements than fit")
	}
	le := binary.NativeEndian
	flags, pos := le.Uint32(p.body[at:]), le.Uint32(p.body[at+4:])
	key, value, err = p.span(at, pos, le.Uint32(p.body[at+8:]), le.Uint32(p.body[at+12:]))
	return key, value, flags&flagBucket != 0, err
}

// span returns the key and value that start pos bytes after their element.
func (p rawPage) span(at int, pos, ksize, vsize uint32) (key, value []byte, err error) {
	from := uint64(at) + uint64(pos)
	mid, to := from+uint64(ksize), from+uint64(ksize)+uint64(vsize)
	if ksize == 0 || to > uint64(len(p.body)) {
		return nil, nil, fmt.Errorf("an element outside its page")
	}
	return p.body[from:mid], p.body[mid:to], nil
}
