package httpapi

import (
	"context"
	"encoding/json"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func (s *Server) secretRoutes() []route {
	const (
		tag     = "Secrets"
		secrets = "/v1/vaults/{vault_id}/secrets"
		path    = "/{path}"
	)
	return []route{
		handle(get, secrets, "listSecrets", s.listSecrets, doc(tag, "List readable paths, without values")),
		handle(put, secrets+path, "putSecret", s.putSecret, slashes("path"), status(201), doc(tag, "Write a new version")),
		handle(get, secrets+path, "getSecret", s.getSecret, slashes("path"), doc(tag, "Read the latest value")),
		handle(remove, secrets+path, "deleteSecret", s.deleteSecret, slashes("path"), doc(tag, "Delete all versions, softly")),
		handle(get, "/v1/vaults/{vault_id}/secret-versions/{path}", "listSecretVersions", s.listVersions, slashes("path"), doc(tag, "List versions, without values")),
		handle(get, "/v1/vaults/{vault_id}/secret-version/{path}/{version}", "getSecretVersion", s.getVersion, slashes("path"), doc(tag, "Read one version")),
		handle(post, "/v1/vaults/{vault_id}/secret-version-disable/{path}/{version}", "disableSecretVersion", s.disableVersion, slashes("path"), doc(tag, "Make one version unreadable for good")),
		handle(post, "/v1/vaults/{vault_id}/secret-rotate/{path}", "rotateSecret", s.rotateSecret, slashes("path"), doc(tag, "Replace the value by a random one")),
	}
}

type listSecretsInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	Prefix  string `query:"prefix" doc:"Only paths that begin with this"`
}

func (s *Server) listSecrets(ctx context.Context, in *listSecretsInput) (*reply[api.SecretListResponse], error) {
	list, err := s.vaults.List(ctx, caller(ctx), in.VaultID, in.Prefix)
	if err != nil {
		return nil, err
	}
	return answer(api.SecretListResponse{Secrets: listOf(list, wireMetadata)})
}

type secretInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	Path    string `path:"path"`
}

type putSecretInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	Path    string `path:"path"`
	Body    api.PutSecretRequest
}

func (s *Server) putSecret(ctx context.Context, in *putSecretInput) (*reply[api.SecretMetadataResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	b := in.Body
	n := vault.NewVersion{
		Type: vault.Type(b.SecretType()), Value: plain.FromString(b.Value),
		Metadata: json.RawMessage(b.Metadata), RotationPolicy: json.RawMessage(b.RotationPolicy),
		ExpiresAt: b.ExpiresAt.Ptr(),
	}
	defer n.Value.Wipe()
	if b.MaxAccessCount != nil {
		limit := int64(*b.MaxAccessCount)
		n.MaxAccess = &limit
	}
	sec, err := s.vaults.Put(ctx, caller(ctx), in.VaultID, path, n)
	if err != nil {
		return nil, err
	}
	return answer(wireMetadata(sec))
}

func (s *Server) getSecret(ctx context.Context, in *secretInput) (*reply[api.SecretResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	sec, value, err := s.vaults.Read(ctx, caller(ctx), in.VaultID, path)
	if err != nil {
		return nil, err
	}
	return answer(wireSecret(sec, sec.Latest, value))
}

func (s *Server) deleteSecret(ctx context.Context, in *secretInput) (*none, error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	return nil, s.vaults.Delete(ctx, caller(ctx), in.VaultID, path)
}

func (s *Server) listVersions(ctx context.Context, in *secretInput) (*reply[api.SecretVersionListResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	sec, versions, err := s.vaults.Versions(ctx, caller(ctx), in.VaultID, path)
	if err != nil {
		return nil, err
	}
	return answer(api.SecretVersionListResponse{
		Versions: listOf(versions, func(v vault.Version) api.SecretVersionResponse { return wireVersion(sec.ID, path, v) }),
	})
}

type secretVersionInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	Path    string `path:"path"`
	Version uint64 `path:"version" maximum:"4294967295"`
}

func (s *Server) getVersion(ctx context.Context, in *secretVersionInput) (*reply[api.SecretResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	sec, v, value, err := s.vaults.ReadVersion(ctx, caller(ctx), in.VaultID, path, uint32(in.Version)) // see maximum
	if err != nil {
		return nil, err
	}
	return answer(wireSecret(sec, v, value))
}

func (s *Server) disableVersion(ctx context.Context, in *secretVersionInput) (*reply[api.SecretVersionResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	sec, v, err := s.vaults.DisableVersion(ctx, caller(ctx), in.VaultID, path, uint32(in.Version)) // see maximum
	if err != nil {
		return nil, err
	}
	return answer(wireVersion(sec.ID, path, v))
}

type rotateInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	Path    string `path:"path"`
	Body    *api.RotateSecretRequest
}

func (s *Server) rotateSecret(ctx context.Context, in *rotateInput) (*reply[api.SecretMetadataResponse], error) {
	path, err := vault.ParseSecretPath(in.Path)
	if err != nil {
		return nil, err
	}
	var r vault.Rotation
	if in.Body != nil {
		r.Charset = in.Body.Charset
		if in.Body.Length != nil {
			r.Length = int(*in.Body.Length)
		}
	}
	sec, err := s.vaults.Rotate(ctx, caller(ctx), in.VaultID, path, r)
	if err != nil {
		return nil, err
	}
	return answer(wireMetadata(sec))
}

func wireMetadata(sec vault.Secret) api.SecretMetadataResponse {
	v := sec.Latest
	return api.SecretMetadataResponse{
		ID: sec.ID.String(), Path: sec.Path.String(), Type: string(v.Type), Version: int(v.Number),
		Metadata: api.Object(v.Metadata), CreatedAt: api.At(v.CreatedAt), ExpiresAt: api.AtOrNone(v.ExpiresAt),
	}
}

// wireSecret is where a value leaves the appliance.
func wireSecret(sec vault.Secret, v vault.Version, value plain.Bytes) api.SecretResponse {
	defer value.Wipe()
	return api.SecretResponse{
		ID: sec.ID.String(), Path: sec.Path.String(), Type: string(v.Type), Value: string(value.Reveal()),
		Version: int(v.Number), Metadata: api.Object(v.Metadata), CreatedBy: wirePrincipal(v.CreatedBy),
		CreatedAt: api.At(v.CreatedAt), ExpiresAt: api.AtOrNone(v.ExpiresAt), CMEKEncrypted: v.CMEKFingerprint != "",
	}
}

func wireVersion(secret id.ID, path vault.SecretPath, v vault.Version) api.SecretVersionResponse {
	return api.SecretVersionResponse{
		ID: secret.String(), Path: path.String(), Type: string(v.Type), Version: int(v.Number),
		Metadata: api.Object(v.Metadata), CreatedBy: wirePrincipal(v.CreatedBy), CreatedAt: api.At(v.CreatedAt),
		ExpiresAt: api.AtOrNone(v.ExpiresAt), IsDisabled: v.DisabledAt != nil,
	}
}

// wirePrincipal is "user:<uuid>" or "agent:<uuid>".
func wirePrincipal(p policy.Principal) string { return p.Type + ":" + p.ID.String() }
