package audit

import (
	"errors"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ErrRolledBack: the log is not the one, or not as long as the one, that the
// HSM remembers. The appliance must not start on it by itself.
var ErrRolledBack = fault.New(fault.Unavailable, "audit_rolled_back", "the audit log is older than, or differs from, the one the HSM remembers")

// ErrBeyond: the log does not have that many records.
var ErrBeyond = fault.New(fault.Invalid, "audit_beyond_end", "the log ends before that record")

// ErrUnreadable is what a Tx says of a record that is there and cannot be opened, as
// one that was altered or moved. Every door of the store says so with this error, or
// with one of its kind: see damaged.
var ErrUnreadable = fault.New(fault.Internal, "record_damaged", "a stored record is damaged")

// damaged reports whether err is about what is stored and not about the moment: the
// faults that are Internal are about damage only.
func damaged(err error) bool {
	f := fault.As(err)
	return f != nil && f.Kind == fault.Internal
}

var errTile = errors.New("audit: damaged tile")
