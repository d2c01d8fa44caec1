package api

// CreateSigningKeyRequest makes a key in the HSM.
type CreateSigningKeyRequest struct {
	Chain string `json:"chain" doc:"Name or chain id"`
}

// ImportSigningKeyRequest puts a key that was made elsewhere into the HSM.
type ImportSigningKeyRequest struct {
	PrivateKey string `json:"private_key" doc:"64 hex digits, with or without 0x"`
	Password   string `json:"password" doc:"Of whoever asks, entered again"`
}

// SigningKeyResponse is a key of an agent in the HSM.
type SigningKeyResponse struct {
	ID         string `json:"id" format:"uuid"`
	AgentID    string `json:"agent_id" format:"uuid"`
	Chain      string `json:"chain"`
	Curve      string `json:"curve" enum:"secp256k1"`
	PublicKey  string `json:"public_key" doc:"Uncompressed point, hex with 0x"`
	Address    string `json:"address"`
	KeyVersion uint32 `json:"key_version"`
	IsActive   bool   `json:"is_active"`
	Origin     string `json:"origin" enum:"hsm,imported" doc:"imported: it was made elsewhere, where copies may be"`
	CreatedAt  Time   `json:"created_at"`
	RotatedAt  Time   `json:"rotated_at,omitzero" doc:"When it was rotated or deactivated"`
}

// SigningKeyListResponse lists an agent's keys, old ones too.
type SigningKeyListResponse struct {
	Keys []SigningKeyResponse `json:"keys"`
}

// SigningKeyBalanceResponse is what a key's address has of the chain's coin.
type SigningKeyBalanceResponse struct {
	Chain          string `json:"chain"`
	ChainID        uint64 `json:"chain_id"`
	Address        string `json:"address"`
	Balance        string `json:"balance" doc:"Of the chain's coin"`
	BalanceWei     string `json:"balance_wei"`
	NativeCurrency string `json:"native_currency"`
}
