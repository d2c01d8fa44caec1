package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// The operations that answer a token need none, and do not change what the Client
// proves itself with: As takes their answer.

// AgentToken exchanges what an agent proves itself with for a token. A Client with
// a key does that by itself.
func (c *Client) AgentToken(ctx context.Context, in api.AgentTokenRequest) (api.TokenResponse, error) {
	return ask[api.TokenResponse](ctx, c, "/v1/auth/agent-token", in)
}

// APIKeyToken exchanges a person's key for a token.
func (c *Client) APIKeyToken(ctx context.Context, in api.UserApiKeyTokenRequest) (api.TokenResponse, error) {
	return ask[api.TokenResponse](ctx, c, "/v1/auth/api-key-token", in)
}

// RefreshToken is always refused, with ErrInvalid: keys are exchanged again.
func (c *Client) RefreshToken(ctx context.Context, in api.RefreshTokenRequest) (api.TokenResponse, error) {
	return ask[api.TokenResponse](ctx, c, "/v1/auth/refresh", in)
}

// Login signs a person in. With a second factor the answer has no token, but what
// MFAVerify exchanges for one. ErrUnauthenticated does not say what was wrong.
func (c *Client) Login(ctx context.Context, in api.LoginRequest) (api.LoginResponse, error) {
	return ask[api.LoginResponse](ctx, c, "/v1/auth/token", in)
}

// MFAVerify completes a sign-in with a code of the app or a recovery code.
func (c *Client) MFAVerify(ctx context.Context, in api.MfaVerifyRequest) (api.TokenResponse, error) {
	return ask[api.TokenResponse](ctx, c, "/v1/auth/mfa/verify", in)
}

// GoogleAuth signs a person in with an ID token of the identity provider that is
// configured, Google or another.
func (c *Client) GoogleAuth(ctx context.Context, in api.GoogleAuthRequest) (api.LoginResponse, error) {
	return ask[api.LoginResponse](ctx, c, "/v1/auth/google", in)
}

// RevokeToken ends the Client's token. One with a key exchanges it anew at its next
// call.
func (c *Client) RevokeToken(ctx context.Context) (api.RevokedResponse, error) {
	return write[api.RevokedResponse](ctx, c, http.MethodDelete, "/v1/auth/token", nil)
}

// Signup asks for an account. Where addresses are confirmed first, the answer is the
// same whether or not the address has one. ErrForbidden: nobody can sign up here.
func (c *Client) Signup(ctx context.Context, in api.SignupRequest) (api.SignupResponse, error) {
	return ask[api.SignupResponse](ctx, c, "/v1/auth/signup", in)
}

// VerifyEmail hands in the token that was mailed to a new account, and signs in.
func (c *Client) VerifyEmail(ctx context.Context, in api.MailedTokenRequest) (api.TokenResponse, error) {
	return ask[api.TokenResponse](ctx, c, "/v1/auth/verify-email", in)
}

// ForgotPassword asks for a mail with which to choose a new password. The answer is
// the same for every address.
func (c *Client) ForgotPassword(ctx context.Context, in api.ForgotPasswordRequest) (api.ForgotPasswordResponse, error) {
	return ask[api.ForgotPasswordResponse](ctx, c, "/v1/auth/forgot-password", in)
}

// ResetPassword chooses a new password with the token that was mailed. Whoever is
// signed in with the old one is signed out.
func (c *Client) ResetPassword(ctx context.Context, in api.ResetPasswordRequest) (api.MessageResponse, error) {
	return ask[api.MessageResponse](ctx, c, "/v1/auth/reset-password", in)
}

// DeviceCode starts a sign-in on a device that has no browser (RFC 8628): show the
// user code, and poll DeviceToken.
func (c *Client) DeviceCode(ctx context.Context, in api.DeviceCodeRequest) (api.DeviceCodeResponse, error) {
	return ask[api.DeviceCodeResponse](ctx, c, "/v1/auth/device/code", in)
}

// DeviceToken polls for the token. Until somebody approves, the answer is no error of
// Go's, but has one in its Error field: authorization_pending or slow_down say to
// ask again later.
func (c *Client) DeviceToken(ctx context.Context, in api.DeviceTokenRequest) (api.DeviceTokenResponse, error) {
	return ask[api.DeviceTokenResponse](ctx, c, "/v1/auth/device/token", in)
}

// DeviceCodeStatus looks at the request of a device.
func (c *Client) DeviceCodeStatus(ctx context.Context, userCode string) (api.DeviceStatusResponse, error) {
	return look[api.DeviceStatusResponse](ctx, c, route("v1", "auth", "device", "code", userCode))
}

// DeviceApprove lets a device act for the caller. ErrGone: the code has expired.
// ErrConflict: it was decided.
func (c *Client) DeviceApprove(ctx context.Context, in api.DeviceApproveRequest) (api.DeviceDecisionResponse, error) {
	return write[api.DeviceDecisionResponse](ctx, c, http.MethodPost, "/v1/auth/device/approve", in)
}

// DeviceDeny refuses a device.
func (c *Client) DeviceDeny(ctx context.Context, in api.DeviceApproveRequest) (api.DeviceDecisionResponse, error) {
	return write[api.DeviceDecisionResponse](ctx, c, http.MethodPost, "/v1/auth/device/deny", in)
}

// GetJWTPublicKey is the key that verifies tokens.
func (c *Client) GetJWTPublicKey(ctx context.Context) (api.JWTPublicKeyResponse, error) {
	return look[api.JWTPublicKeyResponse](ctx, c, "/v1/auth/jwt-public-key")
}

// GetJWKS is the same key, and those it replaced, as RFC 7517 has it.
func (c *Client) GetJWKS(ctx context.Context) (api.JWKSResponse, error) {
	return look[api.JWKSResponse](ctx, c, "/.well-known/jwks.json")
}
