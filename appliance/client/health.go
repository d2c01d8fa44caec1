package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// HealthCheck says whether the appliance serves. It needs no token, and is answered
// by a sealed appliance too: as degraded.
func (c *Client) HealthCheck(ctx context.Context) (api.HealthResponse, error) {
	return look[api.HealthResponse](ctx, c, "/v1/health")
}

// HealthHSM says whether keys can be used and what holds them. It needs no token.
func (c *Client) HealthHSM(ctx context.Context) (api.HSMHealthResponse, error) {
	return look[api.HSMHealthResponse](ctx, c, "/v1/health/hsm")
}

// GetAttestation shows what machine and image the appliance is, by evidence over a
// nonce: 32 bytes that the caller drew, in hexadecimal. Whoever has no policy to
// appraise it with learns nothing from it; package attested does that.
func (c *Client) GetAttestation(ctx context.Context, nonce string) (api.AttestationResponse, error) {
	return do[api.AttestationResponse](ctx, c, call{
		method: http.MethodGet, path: "/v1/attestation", query: query{}.text("nonce", nonce), public: true,
	})
}

// GetShroudAttestation is GetAttestation under its other route.
func (c *Client) GetShroudAttestation(ctx context.Context, nonce string) (api.AttestationResponse, error) {
	return do[api.AttestationResponse](ctx, c, call{
		method: http.MethodGet, path: "/v1/shroud/attestation", query: query{}.text("nonce", nonce), public: true,
	})
}

// InspectContent says what is found in a text, or in several: injected instructions,
// personal data and credentials. The text is not kept.
func (c *Client) InspectContent(ctx context.Context, in api.InspectRequest) (api.InspectResponse, error) {
	return write[api.InspectResponse](ctx, c, http.MethodPost, "/v1/inspect", in)
}
