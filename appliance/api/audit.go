package api

import "time"

// AuditEvent is one line of the audit log. Its readers are lenient, so it says
// more than the first clients knew.
type AuditEvent struct {
	ID           string `json:"id" format:"uuid"`
	Action       string `json:"action"`
	ActorID      string `json:"actor_id"`
	ActorType    string `json:"actor_type"`
	ResourceType string `json:"resource_type"`
	ResourceID   string `json:"resource_id"`
	OrgID        string `json:"org_id" format:"uuid"`
	Outcome      string `json:"outcome" enum:"success,refused,failed"`
	Reason       string `json:"reason,omitempty"`
	Details      Object `json:"details"`
	IPAddress    string `json:"ip_address"`
	// CreatedAt is not a Time: the integrity hash covers all of its digits, which are
	// nine in events of the first appliances.
	CreatedAt time.Time `json:"created_at"`

	Index         uint64  `json:"index" doc:"Place in the Merkle log"`
	PrevEventID   *string `json:"prev_event_id" doc:"The event before in the organisation's chain; null in its first"`
	IntegrityHash string  `json:"integrity_hash" doc:"Hex SHA-256 that covers this event and the hash before"`
}

// AuditEventsResponse lists events, newest first.
type AuditEventsResponse struct {
	Events []AuditEvent `json:"events"`
	Count  int          `json:"count"`
}

// AuditVerifyResponse says whether the log is what was signed and whether the
// organisation's chain holds.
type AuditVerifyResponse struct {
	ChainValid      bool              `json:"chain_valid"`
	EventsVerified  uint64            `json:"events_verified"`
	EventsChecked   uint64            `json:"events_checked"`
	BrokenAtEventID string            `json:"broken_at_event_id,omitempty" format:"uuid"`
	Problems        []AuditProblem    `json:"problems" doc:"What is wrong, the first bad event first"`
	Unchecked       []string          `json:"unchecked" doc:"What could not be compared, and why"`
	Checkpoint      string            `json:"checkpoint,omitempty" doc:"The signed note that the log was compared with"`
	Scheme          map[string]string `json:"scheme" doc:"How to compute all this oneself"`
}

// AuditProblem is one thing that is wrong with the log.
type AuditProblem struct {
	Finding string `json:"finding"`
	Index   uint64 `json:"index"`
	EventID string `json:"event_id,omitempty" format:"uuid"`
	Detail  string `json:"detail"`
}

// AuditCheckpointResponse is the signed size and root of the Merkle log.
type AuditCheckpointResponse struct {
	Checkpoint  string `json:"checkpoint" doc:"The signed note (c2sp.org/tlog-checkpoint)"`
	Size        uint64 `json:"size"`
	RootHash    string `json:"root_hash" doc:"Standard base64"`
	CreatedAt   Time   `json:"created_at,omitzero"`
	VerifierKey string `json:"verifier_key" doc:"Verifies the note; pin it"`
}

// AuditInclusionResponse proves that an event is in the log of a given size
// (RFC 6962), whose root is in the checkpoint of that size.
type AuditInclusionResponse struct {
	Index  uint64   `json:"index"`
	Size   uint64   `json:"size"`
	Leaf   string   `json:"leaf" doc:"The event as it was logged, standard base64"`
	Hashes []string `json:"hashes" doc:"Standard base64, from the leaf up"`
}

// AuditConsistencyResponse proves that the larger log extends the smaller
// (RFC 6962), whose roots are in their checkpoints.
type AuditConsistencyResponse struct {
	From   uint64   `json:"from"`
	To     uint64   `json:"to"`
	Hashes []string `json:"hashes" doc:"Standard base64"`
}
