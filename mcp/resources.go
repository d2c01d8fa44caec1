package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// secretsURI is the list of a vault's secrets, below which each has its own.
const secretsURI = "vault://secrets"

func (s *server) addResources() {
	s.sdk.AddResource(&sdk.Resource{
		URI: secretsURI, Name: "secrets", Title: "Secrets", MIMEType: "application/json",
		Description: "The secrets of the vault: path, type, version and expiry, without values.",
	}, s.readSecrets)
	s.sdk.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: secretsURI + "/{+path}", Name: "secret", Title: "One secret", MIMEType: "application/json",
		Description: "What is known of the secret at a path, without its value.",
	}, s.readSecret)
}

// listedSecret is a secret in the resource. Published clients know these fields.
type listedSecret struct {
	Path      string  `json:"path"`
	Type      string  `json:"type"`
	Version   int     `json:"version"`
	ExpiresAt *string `json:"expires_at"`
}

func (s *server) readSecrets(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	all, err := s.listOf(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]listedSecret, len(all))
	for i, m := range all {
		out[i] = listedSecret{m.Path, m.Type, m.Version, stamp(m.ExpiresAt)}
	}
	return contents(req.Params.URI, out)
}

func (s *server) readSecret(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	all, err := s.listOf(ctx)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(req.Params.URI, secretsURI+"/")
	for _, m := range all {
		if m.Path == path {
			return contents(req.Params.URI, describe(m))
		}
	}
	return nil, sdk.ResourceNotFoundError(req.Params.URI)
}

func contents(uri string, v any) (*sdk.ReadResourceResult, error) {
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: "application/json", Text: indented(v)}}}, nil
}

// listOf lists the caller's vault.
func (s *server) listOf(ctx context.Context) ([]api.SecretMetadataResponse, error) {
	c, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	vault, err := c.vault(ctx)
	if err != nil {
		return nil, s.explain(ctx, err, ofVault)
	}
	all, err := c.api.ListSecrets(ctx, vault, "")
	if err != nil {
		return nil, s.explain(ctx, err, ofVault)
	}
	return all.Secrets, nil
}
