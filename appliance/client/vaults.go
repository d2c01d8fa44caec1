package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// ListVaults lists the vaults the caller reaches.
func (c *Client) ListVaults(ctx context.Context) (api.VaultListResponse, error) {
	return read[api.VaultListResponse](ctx, c, "/v1/vaults", nil)
}

// CreateVault makes a vault, which the caller needs no policy for. Names that
// begin with __ are refused.
func (c *Client) CreateVault(ctx context.Context, in api.CreateVaultRequest) (api.VaultResponse, error) {
	return write[api.VaultResponse](ctx, c, http.MethodPost, "/v1/vaults", in)
}

// GetVault looks at a vault. It is refused to who has no policy there, unless
// they manage the organisation.
func (c *Client) GetVault(ctx context.Context, vault string) (api.VaultResponse, error) {
	return read[api.VaultResponse](ctx, c, vaultRoute(vault), nil)
}

// DeleteVault deletes a vault with what is in it. It is for the vault's creator and
// for who manages the organisation.
func (c *Client) DeleteVault(ctx context.Context, vault string) error {
	return tell(ctx, c, http.MethodDelete, vaultRoute(vault), nil)
}

// EnableCMEK says that values of a vault are encrypted with a key of the
// customer's, of which the appliance gets the fingerprint. It is refused with
// ErrConflict where the vault has another key: rotate it.
func (c *Client) EnableCMEK(ctx context.Context, vault string, in api.EnableCmekRequest) (api.VaultResponse, error) {
	return write[api.VaultResponse](ctx, c, http.MethodPost, vaultRoute(vault, "cmek"), in)
}

// DisableCMEK says that new values are not encrypted by their writers. Those
// that were stay as they are. It is refused where the vault has no key.
func (c *Client) DisableCMEK(ctx context.Context, vault string) (api.VaultResponse, error) {
	return write[api.VaultResponse](ctx, c, http.MethodDelete, vaultRoute(vault, "cmek"), nil)
}

// RotateCMEK has the appliance decrypt each value of a vault with one key and
// encrypt it with another. It needs both keys for that, and forgets them when it
// is done. The job that it answers with goes on by itself; see GetCMEKRotationJob.
// It is refused where from is not the vault's key, and with ErrConflict while
// another rotation runs.
func (c *Client) RotateCMEK(ctx context.Context, vault string, from, to cmek.Key) (api.CmekRotationJobResponse, error) {
	return do[api.CmekRotationJobResponse](ctx, c, call{
		method: http.MethodPost, path: vaultRoute(vault, "cmek-rotate"),
		header: http.Header{"X-Cmek-Old-Key": {from.Encode()}, "X-Cmek-New-Key": {to.Encode()}},
		body:   api.CmekRotateRequest{NewFingerprint: to.Fingerprint()},
	})
}

// GetCMEKRotationJob says how far a rotation is.
func (c *Client) GetCMEKRotationJob(ctx context.Context, vault, job string) (api.CmekRotationJobResponse, error) {
	return read[api.CmekRotationJobResponse](ctx, c, vaultRoute(vault, "cmek-rotate", job), nil)
}

// vaultRoute is where a vault is, or something of it.
func vaultRoute(vault string, below ...string) string {
	return route(append([]string{"v1", "vaults", vault}, below...)...)
}
