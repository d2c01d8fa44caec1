package api

// TokenType is the only token_type there is.
const TokenType = "Bearer"

// LoginRequest asks for a token with an e-mail address and a password.
type LoginRequest struct {
	Email    string `json:"email" maxLength:"320"`
	Password string `json:"password" maxLength:"1024"`
}

// LoginResponse carries a user's token. With MFA on, access_token is empty and
// mfa_token is to be exchanged.
type LoginResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds"`
	MFARequired bool   `json:"mfa_required,omitempty"`
	MFAToken    string `json:"mfa_token,omitempty"`

	RefreshToken string `json:"refresh_token,omitempty" doc:"Never there: sign in again"`
}

// TokenResponse carries a token. Strict readers know only access_token,
// token_type and expires_in: agent_id and vault_ids are for the agent-token
// exchange, and left out for those readers. The contract has a refresh_token; it
// is never sent, since clients that see one start to use it.
type TokenResponse struct {
	AccessToken string   `json:"access_token"`
	TokenType   string   `json:"token_type"`
	ExpiresIn   int      `json:"expires_in" doc:"Seconds"`
	AgentID     string   `json:"agent_id,omitempty" format:"uuid"`
	VaultIDs    []string `json:"vault_ids,omitzero" format:"uuid" doc:"Vaults the token is bound to; empty: every vault its policies reach"`

	RefreshToken string `json:"refresh_token,omitempty" doc:"Never there: exchange the key again"`
}

// AgentTokenRequest exchanges what an agent proves itself with for a token: its
// key, an access token of an identity provider, or, with neither of them, the
// client certificate of the connection.
type AgentTokenRequest struct {
	AgentID string  `json:"agent_id,omitempty" maxLength:"64" doc:"Needed only where agents of several organisations share a certificate or a client"`
	APIKey  *string `json:"api_key,omitempty" maxLength:"512"`

	AccessToken     string `json:"access_token,omitempty" maxLength:"16384" doc:"A JWT that a configured issuer gave to the agent, for this appliance"`
	ClientAssertion string `json:"client_assertion,omitempty" maxLength:"16384" doc:"Another name of access_token"`
	OIDCToken       string `json:"oidc_token,omitempty" maxLength:"16384" doc:"Another name of access_token"`
}

// Token is access_token under any of its names.
func (r *AgentTokenRequest) Token() string {
	for _, t := range []string{r.AccessToken, r.ClientAssertion, r.OIDCToken} {
		if t != "" {
			return t
		}
	}
	return ""
}

// UserApiKeyTokenRequest exchanges a person's 1ck_ key for a token. It takes an
// agent's ocv_ key too.
type UserApiKeyTokenRequest struct {
	APIKey string `json:"api_key" maxLength:"512"`
}

// RefreshTokenRequest is accepted so that it can be refused in so many words.
type RefreshTokenRequest struct {
	RefreshToken string `json:"refresh_token,omitempty"`
}

// RevokedResponse answers the revocation of the caller's token.
type RevokedResponse struct {
	Revoked bool `json:"revoked"`
}

// JWTPublicKeyResponse is the key that verifies tokens: the raw 32 bytes of
// Ed25519 in standard base64.
type JWTPublicKeyResponse struct {
	Alg             string `json:"alg"`
	PublicKeyBase64 string `json:"public_key_base64"`
}

// JWKSResponse is the same key, and those it replaced, as RFC 7517 has it.
type JWKSResponse struct {
	Keys []JWK `json:"keys"`
}

// JWK is one Ed25519 public key (RFC 8037).
type JWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x" doc:"The raw key, unpadded base64url"`
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// UserProfileResponse is the caller's own account.
type UserProfileResponse struct {
	ID              string `json:"id" format:"uuid"`
	OrgID           string `json:"org_id" format:"uuid"`
	Email           string `json:"email"`
	DisplayName     string `json:"display_name"`
	AuthMethod      string `json:"auth_method"`
	Role            string `json:"role"`
	EmailVerified   bool   `json:"email_verified"`
	MarketingEmails bool   `json:"marketing_emails"`
	TOTPEnabled     bool   `json:"totp_enabled"`
	CreatedAt       Time   `json:"created_at"`
}
