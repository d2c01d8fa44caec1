package policy

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// The types of principal.
const (
	User  = "user"
	Agent = "agent"
)

// Principal is who asks, or who was granted something.
type Principal struct {
	Type string `json:"type"` // User or Agent
	ID   id.ID  `json:"id"`
}

// known reports whether p can be granted anything: a forgotten principal must
// not equal the forgotten principal of some policy.
func (p Principal) known() bool {
	return !p.ID.IsZero() && (p.Type == User || p.Type == Agent)
}

// Policy is one grant. Its JSON form is how it is stored.
type Policy struct {
	ID            id.ID        `json:"id"`
	Vault         id.ID        `json:"vault_id"`
	Pattern       Pattern      `json:"secret_path_pattern"`
	Principal     Principal    `json:"principal"`
	Permissions   []Permission `json:"permissions"`
	Conditions    Conditions   `json:"conditions"`
	ExpiresAt     *time.Time   `json:"expires_at,omitempty"`
	CreatedBy     id.ID        `json:"created_by"`
	CreatedByType string       `json:"created_by_type"`
	CreatedAt     time.Time    `json:"created_at"`
}

// Active reports whether p has not expired: it grants something before the
// instant of ExpiresAt and nothing from then on.
func (p Policy) Active(now time.Time) bool { return p.active(now) }

// active takes a pointer because Evaluate calls it for every policy and a
// Policy is large.
func (p *Policy) active(now time.Time) bool {
	return p.ExpiresAt == nil || now.Before(*p.ExpiresAt)
}
