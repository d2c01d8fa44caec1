package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// CreateShare offers a secret, by its id, to somebody. It is for whoever may read it;
// agents share with agents and their creator, not with addresses. More than ten a
// minute in an organisation are refused with ErrRateLimited.
func (c *Client) CreateShare(ctx context.Context, secret string, in api.CreateShareRequest) (api.ShareResponse, error) {
	return write[api.ShareResponse](ctx, c, http.MethodPost, route("v1", "secrets", secret, "share"), in)
}

// CreateShareOf is CreateShare for a secret that the body names, by id or by vault
// and path.
func (c *Client) CreateShareOf(ctx context.Context, in api.CreateShareOfRequest) (api.ShareResponse, error) {
	return write[api.ShareResponse](ctx, c, http.MethodPost, "/v1/shares", in)
}

// ListShares is ListOutboundShares or ListInboundShares by direction, which is
// "outbound", "inbound" or "", for the former.
func (c *Client) ListShares(ctx context.Context, direction string) (api.ShareListResponse, error) {
	return read[api.ShareListResponse](ctx, c, "/v1/shares", query{}.text("direction", direction))
}

// ListOutboundShares lists what the caller shares.
func (c *Client) ListOutboundShares(ctx context.Context) (api.ShareListResponse, error) {
	return read[api.ShareListResponse](ctx, c, "/v1/shares/outbound", nil)
}

// ListInboundShares lists what is shared with the caller.
func (c *Client) ListInboundShares(ctx context.Context) (api.ShareListResponse, error) {
	return read[api.ShareListResponse](ctx, c, "/v1/shares/inbound", nil)
}

// GetShare looks at a share without its secret. It is for who made it and for whom
// it is.
func (c *Client) GetShare(ctx context.Context, share string) (api.ShareListItem, error) {
	return read[api.ShareListItem](ctx, c, route("v1", "shares", share), nil)
}

// AcceptShare accepts what is offered to the caller.
func (c *Client) AcceptShare(ctx context.Context, share string) error {
	return tell(ctx, c, http.MethodPost, route("v1", "shares", share, "accept"), nil)
}

// DeclineShare turns it down, for good.
func (c *Client) DeclineShare(ctx context.Context, share string) error {
	return tell(ctx, c, http.MethodPost, route("v1", "shares", share, "decline"), nil)
}

// AccessShare reads what is shared; the passphrase is "" for a share that has none.
// It counts as an access, and needs no token where anybody with the link may read.
// ErrForbidden: the share is for somebody else, was not accepted, or wants its
// passphrase. ErrGone: it has expired, or was read as often as it may be.
func (c *Client) AccessShare(ctx context.Context, share, passphrase string) (api.SharedSecretResponse, error) {
	in := call{method: http.MethodGet, path: route("v1", "share", share)}
	if passphrase != "" {
		in.header = http.Header{"X-Share-Passphrase": {passphrase}}
	}
	return do[api.SharedSecretResponse](ctx, c, in)
}

// AccessShareWithPassphrase is AccessShare with the passphrase in the body.
func (c *Client) AccessShareWithPassphrase(ctx context.Context, share string, in api.AccessShareRequest) (api.SharedSecretResponse, error) {
	return write[api.SharedSecretResponse](ctx, c, http.MethodPost, route("v1", "shares", share, "access"), in)
}

// RevokeShare takes a share back. It is for who made it.
func (c *Client) RevokeShare(ctx context.Context, share string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "share", share), nil)
}

// RevokeShareByID is RevokeShare under its other route.
func (c *Client) RevokeShareByID(ctx context.Context, share string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "shares", share), nil)
}
