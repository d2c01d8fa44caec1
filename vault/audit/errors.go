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

var errTile = errors.New("audit: damaged tile")
