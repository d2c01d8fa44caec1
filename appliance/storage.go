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

// outages counts those of which the audit log has the beginning, and the end.
type outages struct{ begun, ended int }

// watchStorage ends outages of space that are over, and has the log and the audit
// log tell of each: the ballast has room for that.
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
