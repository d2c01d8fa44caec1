package cutfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// load reads a folder of plain files and folders. All of it is durable.
func (d *disk) load(dir string) error {
	if err := d.loadFolder(d.root, dir); err != nil {
		return fmt.Errorf("cutfs: loading %s: %w", dir, err)
	}
	d.flush()
	return nil
}

func (d *disk) loadFolder(n *inode, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !e.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder", path)
		}
		child := d.newInode(uint32(info.Mode().Perm()), e.IsDir())
		d.apply(child, edit{n, e.Name(), child})
		if e.IsDir() {
			err = d.loadFolder(child, path)
		} else {
			err = child.loadFile(path, info.Size())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// loadFile leaves out pages of zeros: files of a data folder are sparse.
func (n *inode) loadFile(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n.truncate(size)
	for off := int64(0); off < size; off += pageSize {
		var pg page
		got, err := f.ReadAt(pg[:], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if pg != (page{}) {
			n.writeAt(pg[:got], off)
		}
	}
	return nil
}

// save replaces what is in dir by what is on the disk.
func (d *disk) save(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cutfs: saving: %w", err)
	}
	for _, e := range old {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("cutfs: saving: %w", err)
		}
	}
	if err := d.root.save(dir, map[*inode]string{}); err != nil {
		return fmt.Errorf("cutfs: saving: %w", err)
	}
	return nil
}

func (n *inode) save(dir string, saved map[*inode]string) error {
	for name, child := range n.kept {
		path := filepath.Join(dir, name)
		var err error
		switch first, again := saved[child]; {
		case again:
			err = os.Link(first, path)
		case child.file != nil:
			err = child.saveFile(path)
		default:
			if err = os.Mkdir(path, 0o700); err == nil {
				err = child.save(path, saved)
			}
		}
		if err != nil {
			return err
		}
		saved[child] = path
	}
	return nil
}

func (n *inode) saveFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(n.mode&0o777))
	if err != nil {
		return err
	}
	c := &n.file.disk
	err = f.Truncate(c.size)
	for i, pg := range c.pages {
		at := i * pageSize
		if at < c.size && err == nil {
			_, err = f.WriteAt(pg[:min(pageSize, c.size-at)], at)
		}
	}
	return errors.Join(err, f.Close())
}
