package api

// CreateAgentRequest registers an agent.
type CreateAgentRequest struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	AuthMethod  string   `json:"auth_method,omitempty" enum:"api_key,mtls,oidc_client_credentials" doc:"api_key when left out"`
	Scopes      []string `json:"scopes,omitzero" doc:"Path patterns; when left out, those of the agent's policies"`
	ExpiresAt   Time     `json:"expires_at,omitzero"`

	IntentsAPIEnabled  *bool    `json:"intents_api_enabled,omitempty"`
	CryptoProxyEnabled *bool    `json:"crypto_proxy_enabled,omitempty" deprecated:"true"` // former name of the above
	TxToAllowlist      []string `json:"tx_to_allowlist,omitzero"`
	TxMaxValueETH      *string  `json:"tx_max_value_eth,omitempty"`
	TxDailyLimitETH    *string  `json:"tx_daily_limit_eth,omitempty"`
	TxAllowedChains    []string `json:"tx_allowed_chains,omitzero"`

	TokenTTLSeconds       *int32   `json:"token_ttl_seconds,omitempty" nullable:"true"`
	VaultIDs              []string `json:"vault_ids,omitzero" format:"uuid" doc:"Vaults the agent is bound to; empty: no binding"`
	ClientCertFingerprint string   `json:"client_cert_fingerprint,omitempty" doc:"SHA-256, for mtls"`
	OIDCIssuer            string   `json:"oidc_issuer,omitempty"`
	OIDCClientID          string   `json:"oidc_client_id,omitempty"`

	ShroudEnabled *bool  `json:"shroud_enabled,omitempty"`
	ShroudConfig  Object `json:"shroud_config,omitzero"`
}

// Intents is intents_api_enabled under either of its names, nil if neither was
// sent.
func (r *CreateAgentRequest) Intents() *bool {
	if r.IntentsAPIEnabled != nil {
		return r.IntentsAPIEnabled
	}
	return r.CryptoProxyEnabled
}

// UpdateAgentRequest changes an agent. What is left out stays; [] clears a
// list; null clears the fields that are Optional, and elsewhere changes
// nothing.
type UpdateAgentRequest struct {
	Name        *string        `json:"name,omitempty" nullable:"true"`
	Description *string        `json:"description,omitempty" nullable:"true"`
	Scopes      []string       `json:"scopes,omitzero"`
	IsActive    *bool          `json:"is_active,omitempty" nullable:"true"`
	ExpiresAt   Optional[Time] `json:"expires_at,omitzero"`

	IntentsAPIEnabled  *bool            `json:"intents_api_enabled,omitempty" nullable:"true"`
	CryptoProxyEnabled *bool            `json:"crypto_proxy_enabled,omitempty" nullable:"true" deprecated:"true"` // former name of the above
	TxToAllowlist      []string         `json:"tx_to_allowlist,omitzero"`
	TxMaxValueETH      Optional[string] `json:"tx_max_value_eth,omitzero"`
	TxDailyLimitETH    Optional[string] `json:"tx_daily_limit_eth,omitzero"`
	TxAllowedChains    []string         `json:"tx_allowed_chains,omitzero"`

	ClientCertFingerprint *string `json:"client_cert_fingerprint,omitempty" nullable:"true" doc:"Of an mtls agent. The certificate it had stops working at once"`
	OIDCIssuer            *string `json:"oidc_issuer,omitempty" nullable:"true" doc:"Of an oidc_client_credentials agent"`
	OIDCClientID          *string `json:"oidc_client_id,omitempty" nullable:"true" doc:"Of an oidc_client_credentials agent. The client it had stops working at once"`

	TokenTTLSeconds Optional[int32]  `json:"token_ttl_seconds,omitzero"`
	VaultIDs        []string         `json:"vault_ids,omitzero" format:"uuid"`
	ShroudEnabled   *bool            `json:"shroud_enabled,omitempty" nullable:"true"`
	ShroudConfig    Optional[Object] `json:"shroud_config,omitzero"`
}

// Intents is intents_api_enabled under either of its names, nil if neither was
// sent.
func (r *UpdateAgentRequest) Intents() *bool {
	if r.IntentsAPIEnabled != nil {
		return r.IntentsAPIEnabled
	}
	return r.CryptoProxyEnabled
}

// AgentResponse is an agent. Strict readers know exactly these fields; some
// clients read the lists without looking whether they are there.
type AgentResponse struct {
	ID          string   `json:"id" format:"uuid"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	AuthMethod  string   `json:"auth_method" enum:"api_key,mtls,oidc_client_credentials"`
	Scopes      []string `json:"scopes"`
	IsActive    bool     `json:"is_active"`

	IntentsAPIEnabled bool     `json:"intents_api_enabled"`
	TxToAllowlist     []string `json:"tx_to_allowlist"`
	TxMaxValueETH     string   `json:"tx_max_value_eth,omitempty"`
	TxDailyLimitETH   string   `json:"tx_daily_limit_eth,omitempty"`
	TxAllowedChains   []string `json:"tx_allowed_chains"`

	TokenTTLSeconds       *int32   `json:"token_ttl_seconds,omitempty"`
	VaultIDs              []string `json:"vault_ids" format:"uuid"`
	ClientCertFingerprint string   `json:"client_cert_fingerprint,omitempty"`
	OIDCIssuer            string   `json:"oidc_issuer,omitempty"`
	OIDCClientID          string   `json:"oidc_client_id,omitempty"`
	SSHPublicKey          string   `json:"ssh_public_key,omitempty" doc:"Standard base64 of the raw 32-byte Ed25519 key"`
	ECDHPublicKey         string   `json:"ecdh_public_key,omitempty" doc:"Standard base64 of the uncompressed P-256 point"`

	ShroudEnabled bool   `json:"shroud_enabled"`
	ShroudConfig  Object `json:"shroud_config,omitzero"`

	CreatedAt    Time `json:"created_at"`
	ExpiresAt    Time `json:"expires_at,omitzero"`
	LastActiveAt Time `json:"last_active_at,omitzero"`
}

// AgentListResponse lists the organisation's agents.
type AgentListResponse struct {
	Agents []AgentResponse `json:"agents"`
}

// AgentCreatedResponse is the one time an agent's key is shown, to agents that
// have one.
type AgentCreatedResponse struct {
	Agent  AgentResponse `json:"agent"`
	APIKey string        `json:"api_key,omitempty"`
}

// AgentKeyRotatedResponse carries an agent's new key.
type AgentKeyRotatedResponse struct {
	APIKey string `json:"api_key"`
}

// AgentSelfResponse is what an agent sees of itself. Its readers are lenient.
type AgentSelfResponse struct {
	ID                string   `json:"id" format:"uuid"`
	Name              string   `json:"name"`
	Description       string   `json:"description"`
	OrgID             string   `json:"org_id" format:"uuid"`
	CreatedBy         string   `json:"created_by,omitempty" format:"uuid"`
	Scopes            []string `json:"scopes"`
	VaultIDs          []string `json:"vault_ids" format:"uuid"`
	IsActive          bool     `json:"is_active"`
	IntentsAPIEnabled bool     `json:"intents_api_enabled"`
	SSHPublicKey      string   `json:"ssh_public_key,omitempty"`
	ECDHPublicKey     string   `json:"ecdh_public_key,omitempty"`
	ShroudEnabled     bool     `json:"shroud_enabled"`
	ShroudConfig      Object   `json:"shroud_config,omitzero"`
	CreatedAt         Time     `json:"created_at"`
	ExpiresAt         Time     `json:"expires_at,omitzero"`
	LastActiveAt      Time     `json:"last_active_at,omitzero"`
}
