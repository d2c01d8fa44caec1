package api

// EnableCmekRequest says which key values of a vault are encrypted with.
type EnableCmekRequest struct {
	Fingerprint string `json:"fingerprint" doc:"SHA-256 of the key, 64 hexadecimal digits"`
}

// CmekRotateRequest says which key they are to be encrypted with. The keys are
// in headers.
type CmekRotateRequest struct {
	NewFingerprint string `json:"new_fingerprint" doc:"SHA-256 of the new key, 64 hexadecimal digits"`
}

// CmekRotationJobResponse is how far a rotation is. Strict readers know exactly
// these fields.
type CmekRotationJobResponse struct {
	ID             string `json:"id" format:"uuid"`
	VaultID        string `json:"vault_id" format:"uuid"`
	OldFingerprint string `json:"old_fingerprint"`
	NewFingerprint string `json:"new_fingerprint"`
	Status         string `json:"status" enum:"pending,running,completed,failed"`
	TotalSecrets   int    `json:"total_secrets" format:"int32"`
	Processed      int    `json:"processed" format:"int32"`
	Error          string `json:"error,omitempty"`
	StartedAt      Time   `json:"started_at,omitzero"`
	CompletedAt    Time   `json:"completed_at,omitzero"`
	CreatedAt      Time   `json:"created_at"`
}
