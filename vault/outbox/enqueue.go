package outbox

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// How many messages of one organisation may wait on a channel: what it causes
// must not fill the disk. Mere notices are dropped long before.
const (
	MaxWaiting = 20000
	maxNotices = 1000
)

// Enqueue puts m into the outbox. It belongs in the Update of what m tells of,
// and touches known keys only. ID, CreatedAt and NotAfter are filled in if they
// are zero. Where too many are waiting already it answers ErrFull.
func Enqueue(tx Tx, m Message) error { return enqueue(tx, m, MaxWaiting) }

// Notify is Enqueue for what somebody would like, but need not, know: it is
// dropped without an error where too much is waiting already, because what it
// tells of must not fail for it.
func Notify(tx Tx, m Message) error {
	if err := enqueue(tx, m, maxNotices); err != ErrFull { //nolint:errorlint // it is ours, from one line away
		return err
	}
	return nil
}

func enqueue(tx Tx, m Message, most int) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.ID.IsZero() {
		m.ID = id.New()
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = time.Now()
	}
	if m.NotAfter.IsZero() {
		m.NotAfter = m.CreatedAt.Add(DefaultLifetime)
	}
	m.CreatedAt, m.NotAfter = m.CreatedAt.UTC(), m.NotAfter.UTC()
	m.State, m.NextAt, m.Attempts, m.LastError, m.SettledAt = Pending, m.CreatedAt, 0, "", time.Time{}
	n, err := tx.OutboxWaiting(m.Org, m.Channel)
	if err != nil {
		return err
	}
	if n >= most {
		return ErrFull
	}
	if err := tx.PutOutboxMessage(m); err != nil {
		return err
	}
	tx.OnCommit(doorbell.ring)
	return nil
}
