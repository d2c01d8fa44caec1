package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// ListSecrets lists what the caller may see of a vault below a prefix, without
// values.
func (c *Client) ListSecrets(ctx context.Context, vault, prefix string) (api.SecretListResponse, error) {
	return read[api.SecretListResponse](ctx, c, vaultRoute(vault, "secrets"), query{}.text("prefix", prefix))
}

// GetSecret reads a secret's current value. It counts as a read. ErrGone is a
// secret that was deleted, has expired or was read as often as it may be;
// ErrForbidden says nothing about whether there is one. A value that is under a key in
// Options.CMEK is decrypted; one that should be and is not is cmek.ErrOpen.
func (c *Client) GetSecret(ctx context.Context, vault, path string) (api.SecretResponse, error) {
	return c.opened(vault)(read[api.SecretResponse](ctx, c, secretRoute(vault, "secrets", path), nil))
}

// PutSecret writes a new version of a secret. It is not repeated after an
// answer that was lost: that would write another.
func (c *Client) PutSecret(ctx context.Context, vault, path string, in api.PutSecretRequest) (api.SecretMetadataResponse, error) {
	return write[api.SecretMetadataResponse](ctx, c, http.MethodPut, secretRoute(vault, "secrets", path), in)
}

// DeleteSecret deletes a secret with all its versions. Reading it answers ErrGone
// from then on.
func (c *Client) DeleteSecret(ctx context.Context, vault, path string) error {
	return tell(ctx, c, http.MethodDelete, secretRoute(vault, "secrets", path), nil)
}

// RotateSecret has the appliance make up the next value of a secret; the zero
// request says of 32 letters and digits. Read it to see it. The appliance has no key
// of the customer's: in a vault that has one, make a value up and PutSecret it.
func (c *Client) RotateSecret(ctx context.Context, vault, path string, in api.RotateSecretRequest) (api.SecretMetadataResponse, error) {
	return write[api.SecretMetadataResponse](ctx, c, http.MethodPost, secretRoute(vault, "secret-rotate", path), in)
}

// ListSecretVersions lists the versions of a secret, without values.
func (c *Client) ListSecretVersions(ctx context.Context, vault, path string) (api.SecretVersionListResponse, error) {
	return read[api.SecretVersionListResponse](ctx, c, secretRoute(vault, "secret-versions", path), nil)
}

// GetSecretVersion reads the value of one version. It counts as a read, and answers
// ErrGone for a version that was disabled. It decrypts as GetSecret does.
func (c *Client) GetSecretVersion(ctx context.Context, vault, path string, version int) (api.SecretResponse, error) {
	return c.opened(vault)(read[api.SecretResponse](ctx, c, versionRoute(vault, "secret-version", path, version), nil))
}

// DisableSecretVersion makes one version unreadable for good.
func (c *Client) DisableSecretVersion(ctx context.Context, vault, path string, version int) (api.SecretVersionResponse, error) {
	return write[api.SecretVersionResponse](ctx, c, http.MethodPost, versionRoute(vault, "secret-version-disable", path, version), nil)
}

// opened decrypts a secret that was read, if the Client has keys of its vault. That the
// value was encrypted stays visible in it.
func (c *Client) opened(vault string) func(api.SecretResponse, error) (api.SecretResponse, error) {
	return func(s api.SecretResponse, err error) (api.SecretResponse, error) {
		if err != nil || !s.CMEKEncrypted {
			return s, err
		}
		keys := c.keys[strings.ToLower(vault)]
		if len(keys) == 0 && c.find != nil {
			if keys, err = c.find(vault); err != nil {
				return api.SecretResponse{}, fmt.Errorf("client: the keys of vault %s: %w", vault, err)
			}
		}
		if len(keys) == 0 {
			return s, nil
		}
		for _, k := range keys {
			if value, err := k.Open(s.Value); err == nil {
				s.Value = value
				return s, nil
			}
		}
		s.Value = ""
		return s, fmt.Errorf("client: %s: %w", s.Path, cmek.ErrOpen)
	}
}

func versionRoute(vault, kind, path string, version int) string {
	return secretRoute(vault, kind, path) + route(strconv.Itoa(version))
}
