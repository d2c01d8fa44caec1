package audit

import (
	"errors"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ErrRolledBack: the log is not the one, or not as long as the one, that the
// HSM remembers. The appliance must not start on it by itself.
var ErrRolledBack = fault.New(fault.Unavailable, "audit_rolled_back", "the audit log is older than, or differs from, the one the HSM remembers")

var errTile = errors.New("audit: damaged tile")
