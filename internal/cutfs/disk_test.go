package cutfs

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// names lists what is on the disk, with the content of files.
func (n *inode) names(prefix string) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(n.kept)) {
		child := n.kept[name]
		if child.file == nil {
			list = append(list, prefix+name+"/")
			list = append(list, child.names(prefix+name+"/")...)
		} else {
			list = append(list, prefix+name+"="+string(readAll(&child.file.disk)))
		}
	}
	return list
}

// A cut leaves a prefix of what was done to names, and at least what was synced.
func TestDiskNames(t *testing.T) {
	write := func(d *disk, name, text string) *inode {
		n, _ := d.create(d.root, name, 0o600, false)
		n.writeAt([]byte(text), 0)
		return n
	}
	for _, c := range []struct {
		name        string
		do          func(d *disk)
		least, most string // with the lowest rolls and with the highest
	}{
		{"not synced", func(d *disk) { write(d, "a", "1") }, "", "a=1"},
		{"file synced", func(d *disk) { d.sync(write(d, "a", "1")) }, "a=1", "a=1"},
		{"only the folder synced", func(d *disk) { write(d, "a", "1"); d.sync(d.root) }, "a=", "a=1"},
		{"renamed after the sync", func(d *disk) {
			d.sync(write(d, "a", "1"))
			d.rename(d.root, "a", d.root, "b")
		}, "a=1", "b=1"},
		{"renamed over another and synced", func(d *disk) {
			d.sync(write(d, "b", "old"))
			d.sync(write(d, "a", "new"))
			d.rename(d.root, "a", d.root, "b")
			d.sync(d.root)
		}, "b=new", "b=new"},
		{"renamed before the sync", func(d *disk) {
			n := write(d, "a", "1")
			d.rename(d.root, "a", d.root, "b")
			d.sync(n)
		}, "b=1", "b=1"},
		{"removed", func(d *disk) { d.sync(write(d, "a", "1")); d.remove(d.root, "a") }, "a=1", ""},
		{"removed and synced", func(d *disk) { d.sync(write(d, "a", "1")); d.remove(d.root, "a"); d.sync(d.root) }, "", ""},
		{"linked", func(d *disk) {
			n := write(d, "a", "1")
			d.sync(n)
			d.link(d.root, "b", n)
			d.remove(d.root, "a")
			d.sync(d.root)
		}, "b=1", "b=1"},
		{"what came before is kept too", func(d *disk) {
			write(d, "a", "1")
			d.sync(write(d, "b", "2"))
		}, "a= b=2", "a=1 b=2"},
		{"in a folder", func(d *disk) {
			dir, _ := d.create(d.root, "dir", 0o700, true)
			n, _ := d.create(dir, "a", 0o600, false)
			d.sync(n)
		}, "dir/ dir/a=", "dir/ dir/a="},
	} {
		for rolls, want := range map[fixed]string{false: c.least, true: c.most} {
			d := newDisk(rolls, nil)
			// The lowest rolls keep no page either: percent is 0.
			c.do(d)
			d.cut()
			if got := strings.Join(d.root.names(""), " "); got != want {
				t.Errorf("%s, rolls high: %v: %q, want %q", c.name, rolls, got, want)
			}
		}
	}
}

func TestDiskVerdicts(t *testing.T) {
	for verdict, want := range map[Verdict]struct {
		errno syscall.Errno
		disk  string
		down  bool
	}{
		Done: {0, "a=1", false}, Swallowed: {0, "", false}, CutBefore: {syscall.EIO, "", true}, CutAfter: {syscall.EIO, "a=1", true},
	} {
		var asked []Sync
		d := newDisk(fixed(false), func(s Sync) Verdict {
			asked = append(asked, s)
			return verdict
		})
		n, _ := d.create(d.root, "a", 0o600, false)
		n.writeAt([]byte("1"), 0)
		if errno := d.sync(n); errno != want.errno || d.isDown() != want.down {
			t.Errorf("%d: %v, down: %v", verdict, errno, d.isDown())
		}
		d.cut()
		if got := strings.Join(d.root.names(""), " "); got != want.disk {
			t.Errorf("%d: %q on the disk", verdict, got)
		}
		if len(asked) != 1 || asked[0] != (Sync{Name: "a", N: 1}) {
			t.Errorf("asked of %v", asked)
		}
		if errno := d.sync(n); errno != syscall.EIO {
			t.Errorf("a sync without power: %v", errno)
		}
	}
}

func TestDiskErrors(t *testing.T) {
	d := newDisk(fixed(false), nil)
	dir, _ := d.create(d.root, "dir", 0o700, true)
	a, _ := d.create(dir, "a", 0o600, false)
	_, again := d.create(dir, "a", 0o600, false)
	for what, c := range map[string][2]syscall.Errno{
		"create twice":       {again, syscall.EEXIST},
		"link over":          {d.link(dir, "a", a), syscall.EEXIST},
		"remove nothing":     {d.remove(dir, "b"), syscall.ENOENT},
		"remove a full one":  {d.remove(d.root, "dir"), syscall.ENOTEMPTY},
		"rename nothing":     {d.rename(dir, "b", dir, "c"), syscall.ENOENT},
		"rename over a full": {d.rename(dir, "a", d.root, "dir"), syscall.ENOTEMPTY},
		"rename onto itself": {d.rename(dir, "a", dir, "a"), 0},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %v", what, c[0])
		}
	}
}
