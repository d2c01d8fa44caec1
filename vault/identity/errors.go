package identity

import "github.com/oneclaw/oneclawd/internal/fault"

// Errors. The texts are published: clients show them and tests match them.
var (
	ErrCredentials  = fault.New(fault.Unauthenticated, "invalid_credentials", "Invalid credentials")
	ErrToken        = fault.New(fault.Unauthenticated, "invalid_token", "Invalid or expired token")
	ErrTokenRevoked = fault.New(fault.Unauthenticated, "token_revoked", "This token has been revoked")
	ErrInactive     = fault.New(fault.Unauthenticated, "agent_deactivated", "Agent is deactivated")
	ErrExpired      = fault.New(fault.Unauthenticated, "agent_expired", "Agent has expired")
	ErrUsersOnly    = fault.New(fault.Denied, "users_only", "Access denied: this operation is for people, not agents")
	ErrAgentsOnly   = fault.New(fault.Denied, "agents_only", "Access denied: this operation is for agents")
	ErrDenied       = fault.New(fault.Denied, "access_denied", "Access denied")
	ErrNoRefresh    = fault.New(fault.Invalid, "refresh_not_supported", "Refresh tokens are not issued; exchange the key again")

	ErrTooManyScopes = fault.New(fault.Conflict, "too_many_scopes", "The agent's policies have too many different patterns for one token; give the agent explicit scopes")

	ErrPasswordRule = fault.New(fault.Invalid, "weak_password", "The password is too weak")
	ErrEmailTaken   = fault.New(fault.Conflict, "email_taken", "An account with this e-mail address exists")
	ErrEmail        = fault.New(fault.Invalid, "invalid_email", "Not an e-mail address")

	ErrBusy = fault.New(fault.Unavailable, "passwords_busy", "Too many passwords are being checked at the moment")

	ErrKeyNotFound = fault.New(fault.NotFound, "api_key_not_found", "No such API key")
	ErrKeyName     = fault.New(fault.Invalid, "invalid_api_key_name", "An API key needs a name of 1 to 255 characters, not blank, and without control characters")
	ErrExpiryPast  = fault.New(fault.Invalid, "expiry_in_past", "expires_at must lie in the future")
	ErrClaimTaken  = fault.New(fault.Conflict, "credential_in_use", "Another active agent of the organisation has this certificate, or this client of this issuer")
	ErrNoIssuers   = fault.New(fault.Invalid, "oidc_not_configured", "No identity provider for agents is configured here (setting oidc.issuers)")
	ErrNoSignIn    = fault.New(fault.Invalid, "sign_in_not_configured", "Signing in with an identity provider is not configured here (setting oidc.signin_client_id)")
	ErrNoAgent     = fault.New(fault.NotFound, "agent_not_found", "No such agent")
)
