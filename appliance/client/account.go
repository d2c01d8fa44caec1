package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// What a person does about their own account. Agents are refused with ErrForbidden.

// GetMe says who is signed in.
func (c *Client) GetMe(ctx context.Context) (api.UserProfileResponse, error) {
	return read[api.UserProfileResponse](ctx, c, "/v1/auth/me", nil)
}

// UpdateMe changes what the request names of one's profile.
func (c *Client) UpdateMe(ctx context.Context, in api.UpdateProfileRequest) (api.UserProfileResponse, error) {
	return write[api.UserProfileResponse](ctx, c, http.MethodPatch, "/v1/auth/me", in)
}

// DeleteMe deletes one's account. It wants to be confirmed, and refuses the last
// owner of an organisation with ErrConflict.
func (c *Client) DeleteMe(ctx context.Context, in api.DeleteMeRequest) error {
	return tell(ctx, c, http.MethodDelete, "/v1/auth/me", in)
}

// ChangePassword replaces one's password. A wrong current one is ErrInvalid.
func (c *Client) ChangePassword(ctx context.Context, in api.ChangePasswordRequest) error {
	return tell(ctx, c, http.MethodPost, "/v1/auth/change-password", in)
}

// MFAStatus says whether a second factor is on.
func (c *Client) MFAStatus(ctx context.Context) (api.MfaStatusResponse, error) {
	return read[api.MfaStatusResponse](ctx, c, "/v1/auth/mfa/status", nil)
}

// MFASetup makes a secret for an authenticator app; MFAVerifySetup switches it on.
// ErrConflict: one is on.
func (c *Client) MFASetup(ctx context.Context) (api.MfaSetupResponse, error) {
	return write[api.MfaSetupResponse](ctx, c, http.MethodPost, "/v1/auth/mfa/setup", nil)
}

// MFAVerifySetup proves that the app shows right codes, switches the second factor
// on, and shows the recovery codes, this once.
func (c *Client) MFAVerifySetup(ctx context.Context, in api.MfaVerifySetupRequest) (api.MfaVerifySetupResponse, error) {
	return write[api.MfaVerifySetupResponse](ctx, c, http.MethodPost, "/v1/auth/mfa/verify-setup", in)
}

// MFADisable switches the second factor off, by a code or by the password.
func (c *Client) MFADisable(ctx context.Context, in api.MfaDisableRequest) error {
	return tell(ctx, c, http.MethodDelete, "/v1/auth/mfa", in)
}

// ListAPIKeys lists one's 1ck_ keys, without the keys.
func (c *Client) ListAPIKeys(ctx context.Context) (api.ApiKeyListResponse, error) {
	return read[api.ApiKeyListResponse](ctx, c, "/v1/auth/api-keys", nil)
}

// CreateAPIKey makes a 1ck_ key, shown this once.
func (c *Client) CreateAPIKey(ctx context.Context, in api.CreateApiKeyRequest) (api.ApiKeyCreatedResponse, error) {
	return write[api.ApiKeyCreatedResponse](ctx, c, http.MethodPost, "/v1/auth/api-keys", in)
}

// RevokeAPIKey revokes a key of one's own; those of others do not exist.
func (c *Client) RevokeAPIKey(ctx context.Context, key string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "auth", "api-keys", key), nil)
}
