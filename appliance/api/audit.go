package api

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
	RequestID    string `json:"request_id,omitempty"`
	CreatedAt    Time   `json:"created_at"`

	Index         uint64 `json:"index" doc:"Place in the Merkle log"`
	PrevEventID   string `json:"prev_event_id,omitempty" doc:"The event before in the organisation's chain"`
	IntegrityHash string `json:"integrity_hash" doc:"Hex SHA-256 that covers this event and the hash before"`
}

// AuditEventsResponse lists events, newest first.
type AuditEventsResponse struct {
	Events []AuditEvent `json:"events"`
	Count  int          `json:"count"`
}

// AuditVerifyResponse says whether an organisation's chain holds.
type AuditVerifyResponse struct {
	ChainValid      bool        `json:"chain_valid"`
	EventsVerified  int         `json:"events_verified"`
	EventsChecked   int         `json:"events_checked"`
	BrokenAtEventID string      `json:"broken_at_event_id,omitempty" format:"uuid"`
	Scheme          AuditScheme `json:"scheme"`
}

// AuditScheme says how to compute an integrity_hash oneself.
type AuditScheme struct {
	Hash      string   `json:"hash"`
	Separator string   `json:"separator"`
	Fields    []string `json:"fields"`
}

// AuditCheckpointResponse is the signed size and root of the Merkle log.
type AuditCheckpointResponse struct {
	Checkpoint string `json:"checkpoint" doc:"The signed note"`
	Size       uint64 `json:"size"`
	RootHash   string `json:"root_hash" doc:"Standard base64"`
	CreatedAt  Time   `json:"created_at,omitzero"`
}

// AuditInclusionResponse proves that an event is in the log of a given size
// (RFC 6962).
type AuditInclusionResponse struct {
	Index    uint64   `json:"index"`
	Size     uint64   `json:"size"`
	LeafHash string   `json:"leaf_hash" doc:"Standard base64"`
	RootHash string   `json:"root_hash" doc:"Standard base64"`
	Hashes   []string `json:"hashes" doc:"Standard base64, from the leaf up"`
}

// AuditConsistencyResponse proves that the larger log extends the smaller.
type AuditConsistencyResponse struct {
	From     uint64   `json:"from"`
	To       uint64   `json:"to"`
	RootHash string   `json:"root_hash" doc:"Standard base64, of the larger"`
	Hashes   []string `json:"hashes" doc:"Standard base64"`
}
