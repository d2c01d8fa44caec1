package api

// CreateVaultRequest makes a vault.
type CreateVaultRequest struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// MPCCustody is sent by newer clients for something this appliance does not
	// do. It is read only to be refused, never to be ignored.
	MPCCustody any `json:"mpc_custody,omitempty"`
}

// VaultResponse is a vault. Strict readers know exactly these fields.
type VaultResponse struct {
	ID              string `json:"id" format:"uuid"`
	Name            string `json:"name"`
	Description     string `json:"description"`
	CreatedBy       string `json:"created_by" format:"uuid"`
	CreatedByType   string `json:"created_by_type" enum:"user,agent,system" doc:"system: the vault of agents' identity keys"`
	CreatedAt       Time   `json:"created_at"`
	CMEKEnabled     bool   `json:"cmek_enabled"`
	CMEKFingerprint string `json:"cmek_fingerprint,omitempty"`
}

// VaultListResponse lists the vaults the caller can use.
type VaultListResponse struct {
	Vaults []VaultResponse `json:"vaults"`
}
