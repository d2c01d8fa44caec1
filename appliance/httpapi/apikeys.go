package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func (s *Server) apiKeyRoutes() []route {
	const tag = "API Keys"
	return []route{
		handle(post, "/v1/auth/api-keys", "createApiKey", s.createAPIKey, status(201), doc(tag, "Make a 1ck_ key, shown once")),
		handle(get, "/v1/auth/api-keys", "listApiKeys", s.listAPIKeys, doc(tag, "List one's keys")),
		handle(remove, "/v1/auth/api-keys/{key_id}", "revokeApiKey", s.revokeAPIKey, doc(tag, "Revoke a key")),
	}
}

type newAPIKeyInput struct{ Body api.CreateApiKeyRequest }

func (s *Server) createAPIKey(ctx context.Context, in *newAPIKeyInput) (*reply[api.ApiKeyCreatedResponse], error) {
	k, key, err := s.people.CreateAPIKey(ctx, caller(ctx), identity.NewAPIKeySpec{
		Name: in.Body.Name, Scopes: in.Body.Scopes, ExpiresAt: in.Body.ExpiresAt.Ptr(),
	})
	if err != nil {
		return nil, err
	}
	return answer(api.ApiKeyCreatedResponse{Key: wireAPIKey(identity.SeenAPIKey{APIKey: k}), APIKey: key})
}

func (s *Server) listAPIKeys(ctx context.Context, _ *none) (*reply[api.ApiKeyListResponse], error) {
	keys, err := s.people.APIKeys(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.ApiKeyListResponse{Keys: listOf(keys, wireAPIKey)})
}

type apiKeyInput struct {
	KeyID id.ID `path:"key_id" format:"uuid"`
}

func (s *Server) revokeAPIKey(ctx context.Context, in *apiKeyInput) (*none, error) {
	return nil, s.people.RevokeAPIKey(ctx, caller(ctx), in.KeyID)
}

func wireAPIKey(k identity.SeenAPIKey) api.ApiKeyResponse {
	return api.ApiKeyResponse{
		ID: k.ID.String(), Name: k.Name, KeyPrefix: k.Prefix, Scopes: notNil(k.Scopes), IsActive: k.Active,
		CreatedAt: api.At(k.CreatedAt), ExpiresAt: api.AtOrNone(k.ExpiresAt), LastUsedAt: api.At(k.LastUsed),
	}
}

// notNil is list, but never nil: written as [] and not as null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
