package store

import (
	"encoding/binary"
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// The tables of vault/outbox. A message is found by its identifier, by its
// organisation, and by what is to happen to it next; the last two are kept with
// the first.
var (
	outboxMessages = table[outbox.Message]{name: "outbox", version: 1}
	outboxOrgs     = rawTable{name: "outbox-org"}
	outboxDue      = rawTable{name: "outbox-due"}
	outboxCounts   = table[int]{name: "outbox-count", version: 1}
)

// here is the value of a record whose key says all.
var here = []byte{1}

var _ outbox.Tx = (*Tx)(nil)

// outboxLane is what a message waits for: its channel, or its removal.
func outboxLane(c outbox.Channel, s outbox.State) byte {
	switch {
	case s != outbox.Pending:
		return 'x'
	case c == outbox.Mail:
		return 'm'
	default:
		return 'w'
	}
}

// outboxDueKey keeps what waits for the same in the order of its time.
func outboxDueKey(m outbox.Message) []byte {
	k := binary.BigEndian.AppendUint64([]byte{outboxLane(m.Channel, m.State)}, uint64(m.NextAt.UnixNano()))
	return append(k, m.ID[:]...)
}

// outboxDueID is the message of such a key.
func outboxDueID(key []byte) (m id.ID) {
	copy(m[:], key[1+8:])
	return m
}

func outboxCountKey(org id.ID, lane byte) []byte { return append(slices.Clone(org[:]), lane) }

// countOutbox changes how many messages of org wait in a lane.
func (t *Tx) countOutbox(org id.ID, lane byte, by int) error {
	if lane == 'x' {
		return nil
	}
	key := outboxCountKey(org, lane)
	n, _, err := outboxCounts.get(t, key)
	if err != nil {
		return err
	}
	if n += by; n <= 0 {
		return outboxCounts.delete(t, key)
	}
	return outboxCounts.put(t, key, n)
}

// OutboxMessage implements outbox.Tx.
func (t *Tx) OutboxMessage(msg id.ID) (outbox.Message, bool, error) {
	return outboxMessages.get(t, msg[:])
}

// PutOutboxMessage implements outbox.Tx.
func (t *Tx) PutOutboxMessage(m outbox.Message) error {
	old, found, err := outboxMessages.get(t, m.ID[:])
	if err != nil {
		return err
	}
	if found {
		if err := outboxDue.delete(t, outboxDueKey(old)); err != nil {
			return err
		}
		if err := t.countOutbox(old.Org, outboxLane(old.Channel, old.State), -1); err != nil {
			return err
		}
	} else if err := outboxOrgs.put(t, pair(m.Org, m.ID), here); err != nil {
		return err
	}
	if err := outboxDue.put(t, outboxDueKey(m), here); err != nil {
		return err
	}
	if err := t.countOutbox(m.Org, outboxLane(m.Channel, m.State), 1); err != nil {
		return err
	}
	return outboxMessages.put(t, m.ID[:], m)
}

// DeleteOutboxMessage implements outbox.Tx.
func (t *Tx) DeleteOutboxMessage(msg id.ID) error {
	old, found, err := outboxMessages.get(t, msg[:])
	if err != nil || !found {
		return err
	}
	if err := outboxDue.delete(t, outboxDueKey(old)); err != nil {
		return err
	}
	if err := outboxOrgs.delete(t, pair(old.Org, old.ID)); err != nil {
		return err
	}
	if err := t.countOutbox(old.Org, outboxLane(old.Channel, old.State), -1); err != nil {
		return err
	}
	return outboxMessages.delete(t, msg[:])
}

// OutboxWaiting implements outbox.Tx.
func (t *Tx) OutboxWaiting(org id.ID, c outbox.Channel) (int, error) {
	n, _, err := outboxCounts.get(t, outboxCountKey(org, outboxLane(c, outbox.Pending)))
	return n, err
}

// OutboxPending implements outbox.Tx.
func (t *Tx) OutboxPending(c outbox.Channel, limit int) ([]outbox.Message, error) {
	return t.outboxDue(outboxLane(c, outbox.Pending), limit)
}

// OutboxSettled implements outbox.Tx.
func (t *Tx) OutboxSettled(limit int) ([]outbox.Message, error) { return t.outboxDue('x', limit) }

func (t *Tx) outboxDue(lane byte, limit int) (out []outbox.Message, err error) {
	err = outboxDue.scan(t, page{Prefix: []byte{lane}, Limit: limit}, func(key, _ []byte) error {
		m, found, err := t.OutboxMessage(outboxDueID(key))
		if err == nil && found {
			out = append(out, m)
		}
		return err
	})
	return out, err
}

// OutboxList implements outbox.Tx.
func (t *Tx) OutboxList(org, before id.ID, fn func(outbox.Message) bool) error {
	p := page{Down: true}
	each := func(m outbox.Message) error {
		if !fn(m) {
			return errStop
		}
		return nil
	}
	if org.IsZero() {
		if !before.IsZero() {
			p.After = before[:]
		}
		return outboxMessages.scan(t, p, func(_ []byte, m outbox.Message) error { return each(m) })
	}
	if p.Prefix = org[:]; !before.IsZero() {
		p.After = pair(org, before)
	}
	return outboxOrgs.scan(t, p, func(key, _ []byte) error {
		m, found, err := t.OutboxMessage(id.ID(key[len(org):]))
		if err != nil || !found {
			return err
		}
		return each(m)
	})
}
