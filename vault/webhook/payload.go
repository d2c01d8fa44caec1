package webhook

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// payload is the body of a delivery. Published fields never change.
type payload struct {
	ID        id.ID     `json:"id"` // of the event: the same for every subscription
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	OrgID     id.ID     `json:"org_id"`
	Data      data      `json:"data"`
}

// data is the event as the audit API shows it.
type data struct {
	ID            id.ID         `json:"id"`
	Action        audit.Action  `json:"action"`
	ActorID       string        `json:"actor_id"`
	ActorType     string        `json:"actor_type"`
	ResourceType  string        `json:"resource_type"`
	ResourceID    string        `json:"resource_id"`
	OrgID         id.ID         `json:"org_id"`
	Outcome       audit.Outcome `json:"outcome"`
	Reason        string        `json:"reason,omitempty"`
	Details       audit.Details `json:"details"`
	IPAddress     string        `json:"ip_address"`
	CreatedAt     time.Time     `json:"created_at"`
	Index         uint64        `json:"index"`
	IntegrityHash string        `json:"integrity_hash"`
}

// encode writes the body of the deliveries of an event.
func encode(event string, r audit.Record) (string, error) {
	b, err := json.Marshal(payload{
		ID: r.ID, Type: event, CreatedAt: r.CreatedAt, OrgID: r.OrgID,
		Data: data{
			ID: r.ID, Action: r.Action, ActorID: r.ActorID, ActorType: r.ActorType, ResourceType: r.ResourceType,
			ResourceID: r.ResourceID, OrgID: r.OrgID, Outcome: r.Outcome, Reason: r.Reason, Details: r.Details,
			IPAddress: r.IPAddress, CreatedAt: r.CreatedAt, Index: r.Index, IntegrityHash: r.IntegrityHash,
		},
	})
	if err != nil {
		return "", fmt.Errorf("webhook: event %d: %w", r.Index, err)
	}
	return string(b), nil
}
