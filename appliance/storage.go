package appliance

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// storageEvery is how often the disk is looked at during an outage of space.
const storageEvery = time.Second

// noteReadOnly is for operators.
const noteReadOnly = "the disk is full: changes are refused, and reads only go on while the audit log has room; free space in the data folder"

// noteUnwritable is for operators too.
const noteUnwritable = "the data file cannot be written: changes and reads are refused; look at the disk, its file system and the mode of the data folder"

// takesNoChanges reports whether changes are refused for want of a disk.
func (c *core) takesNoChanges() bool {
	s := c.db.Stats()
	return s.ReadOnly || s.Unwritable
}

// storageNotes are what an operator should know of the disk.
func (c *core) storageNotes() (notes []string) {
	s := c.db.Stats()
	if s.Unwritable {
		notes = append(notes, noteUnwritable)
	}
	if s.ReadOnly {
		notes = append(notes, noteReadOnly)
	}
	return notes
}

// outages counts those of space of which the audit log has the beginning, and the
// end. Of a disk that cannot be written only the process's log can tell.
type outages struct {
	begun, ended int
	unwritable   bool
}

// watchStorage ends outages of the disk that are over, and has the log and the audit
// log tell of each of space: the ballast has room for that.
func (c *core) watchStorage(ctx context.Context) error {
	var told outages
	tick := time.NewTicker(storageEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.db.Recover()
			c.attempt(ctx, "recording an outage of space", func(ctx context.Context) error { return c.tell(ctx, &told) })
		}
	}
}

func (c *core) tell(ctx context.Context, told *outages) error {
	s := c.db.Stats()
	if s.Unwritable != told.unwritable {
		if told.unwritable = s.Unwritable; told.unwritable {
			c.log.Error(noteUnwritable)
		} else {
			c.log.Info("the data file can be written again")
		}
	}
	now := outages{begun: s.Outages, ended: s.Outages}
	if s.ReadOnly {
		now.ended--
	}
	for told.ended < now.ended || told.begun < now.begun {
		if told.begun == told.ended {
			c.log.Error(noteReadOnly)
			if err := c.record(ctx, audit.ApplianceStorageFull); err != nil {
				return err
			}
			told.begun++
			continue
		}
		c.log.Info("the disk has space again: changes are taken")
		if err := c.record(ctx, audit.ApplianceStorageRecovered); err != nil {
			return err
		}
		told.ended++
	}
	return nil
}
