package outbox

import "github.com/oneclaw/oneclawd/internal/id"

// Tx is what this package reads and writes. A read of something absent reports
// false, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	OutboxMessage(msg id.ID) (Message, bool, error)
	// PutOutboxMessage adds or replaces; what the methods below find follows.
	PutOutboxMessage(Message) error
	DeleteOutboxMessage(msg id.ID) error

	// OutboxWaiting is how many messages of org are pending on a channel.
	OutboxWaiting(org id.ID, c Channel) (int, error)
	// OutboxPending are pending messages, earliest NextAt first; all if limit is 0. (scan)
	OutboxPending(c Channel, limit int) ([]Message, error)
	// OutboxSettled are sent and failed messages, earliest NextAt first. (scan)
	OutboxSettled(limit int) ([]Message, error)
	// OutboxList calls fn with the messages of org, or of all if it is zero,
	// newest first, beginning before the one named if that is not zero, until fn
	// returns false. (scan)
	OutboxList(org, before id.ID, fn func(Message) bool) error

	// OnCommit runs fn once the transaction is durable; never if it is not.
	OnCommit(fn func())
}
