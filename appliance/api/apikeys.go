package api

// CreateApiKeyRequest asks for a 1ck_ key.
type CreateApiKeyRequest struct {
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes,omitzero"`
	ExpiresAt Time     `json:"expires_at,omitzero"`
}

// ApiKeyResponse is a key without the key.
type ApiKeyResponse struct {
	ID         string   `json:"id" format:"uuid"`
	Name       string   `json:"name"`
	KeyPrefix  string   `json:"key_prefix" doc:"The first 12 characters"`
	Scopes     []string `json:"scopes"`
	IsActive   bool     `json:"is_active"`
	CreatedAt  Time     `json:"created_at"`
	ExpiresAt  Time     `json:"expires_at,omitzero"`
	LastUsedAt Time     `json:"last_used_at,omitzero"`
}

// ApiKeyCreatedResponse is the one time the key itself is shown.
type ApiKeyCreatedResponse struct {
	Key    ApiKeyResponse `json:"key"`
	APIKey string         `json:"api_key"`
}

// ApiKeyListResponse lists the caller's keys.
type ApiKeyListResponse struct {
	Keys []ApiKeyResponse `json:"keys"`
}
