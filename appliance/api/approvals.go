package api

// ApprovalResponse asks people whether an agent may do one thing, once.
type ApprovalResponse struct {
	ID            string            `json:"id" format:"uuid"`
	Action        string            `json:"action" doc:"What is asked for: transaction"`
	Summary       map[string]string `json:"summary" doc:"The action in words of one spelling; action_hash is the SHA-256 of its canonical JSON (RFC 8785)"`
	ActionHash    string            `json:"action_hash"`
	Why           []string          `json:"why" doc:"The conditions that ask for people"`
	Expected      []ExpectedChange  `json:"expected_changes,omitzero" doc:"What it would do, if that was simulated: when it is signed it has to do the same"`
	RequesterID   string            `json:"requester_id" format:"uuid"`
	RequesterType string            `json:"requester_type" enum:"agent,user"`
	AgentID       string            `json:"agent_id" format:"uuid"`
	Status        string            `json:"status" enum:"pending,approved,denied,expired"`
	Needed        int               `json:"approvals_needed"`
	ApprovedBy    []string          `json:"approved_by" doc:"user:<uuid>"`
	DecidedBy     string            `json:"decided_by,omitempty" doc:"user:<uuid>, of the last"`
	DecidedAt     Time              `json:"decided_at,omitzero"`
	Reason        string            `json:"reason,omitempty" doc:"Of whoever denied it"`
	TransactionID string            `json:"transaction_id,omitempty" format:"uuid" doc:"That used it"`
	CreatedAt     Time              `json:"created_at"`
	ExpiresAt     Time              `json:"expires_at"`
}

// ExpectedChange is a balance that a transaction would change.
type ExpectedChange struct {
	Address string `json:"address"`
	Token   string `json:"token" doc:"Address of its contract, or native"`
	Change  string `json:"change" doc:"In the smallest unit, with a sign if it is less"`
}

// ApprovalListResponse lists approvals, newest first.
type ApprovalListResponse struct {
	Approvals []ApprovalResponse `json:"approvals"`
}

// ApprovalPendingResponse answers a transaction that people have to agree to
// first: the same request is sent again when they have.
type ApprovalPendingResponse struct {
	ApprovalID string   `json:"approval_id" format:"uuid"`
	Status     string   `json:"status" enum:"pending_approval"`
	Why        []string `json:"why"`
	Needed     int      `json:"approvals_needed"`
	ExpiresAt  Time     `json:"expires_at"`
}

// DenyRequest says why.
type DenyRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// DecideRequest approves or denies.
type DecideRequest struct {
	Decision string `json:"decision" enum:"approved,rejected,denied"`
	Reason   string `json:"reason,omitempty" maxLength:"500"`
}
