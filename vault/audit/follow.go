package audit

import (
	"context"
	"fmt"
)

// Since returns the events of every organisation from index from on, oldest
// first, and the index behind the last one that it looked at: where to go on.
// That is from itself if there are no more yet. Events that are not there, since
// the archive forgets old ones, or cannot be read are left out: a follower goes
// on, and it is Verify that names them.
func (g *Log) Since(ctx context.Context, from uint64) (records []Record, next uint64, err error) {
	size, err := g.size(ctx)
	if err != nil || from >= size {
		return nil, from, err
	}
	c, err := g.read(ctx, from, size)
	if err != nil {
		return nil, from, fmt.Errorf("audit: since %d: %w", from, err)
	}
	for _, raw := range c.leaves {
		if raw == nil {
			continue
		}
		if r, err := decodeRecord(raw); err == nil {
			records = append(records, r)
		}
	}
	return records, from + uint64(len(c.leaves)), nil
}
