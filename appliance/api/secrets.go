package api

// PutSecretRequest writes a new version of a secret.
type PutSecretRequest struct {
	Value string `json:"value"`
	// Type is the previous version's when left out, "generic" for the first.
	Type string `json:"type,omitempty" maxLength:"64" doc:"generic, password, api_key, certificate, private_key, ssh_key, env, env_bundle, file, note or token"`
	// TypeAlias is Type as an early CLI spells it.
	TypeAlias      string `json:"secret_type,omitempty" maxLength:"64" deprecated:"true"`
	Metadata       Object `json:"metadata,omitzero"`
	ExpiresAt      Time   `json:"expires_at,omitzero"`
	RotationPolicy Object `json:"rotation_policy,omitzero"`
	MaxAccessCount *int32 `json:"max_access_count,omitempty" doc:"How many times the value can be read"`
}

// SecretType is the type under either of its names, "" if neither was sent.
func (r *PutSecretRequest) SecretType() string { return either(r.Type, r.TypeAlias) }

// SecretMetadataResponse is a secret without its value. Strict readers know
// exactly these fields.
type SecretMetadataResponse struct {
	ID        string `json:"id" format:"uuid"`
	Path      string `json:"path"`
	Type      string `json:"type"`
	Version   int    `json:"version"`
	Metadata  Object `json:"metadata"`
	CreatedAt Time   `json:"created_at"`
	ExpiresAt Time   `json:"expires_at,omitzero"`
}

// SecretResponse is a secret with its value. Strict readers know exactly these
// fields.
type SecretResponse struct {
	ID            string `json:"id" format:"uuid"`
	Path          string `json:"path"`
	Type          string `json:"type"`
	Value         string `json:"value"`
	Version       int    `json:"version"`
	Metadata      Object `json:"metadata"`
	CreatedBy     string `json:"created_by" doc:"user:<uuid> or agent:<uuid>"`
	CreatedAt     Time   `json:"created_at"`
	ExpiresAt     Time   `json:"expires_at,omitzero"`
	CMEKEncrypted bool   `json:"cmek_encrypted"`
}

// SecretListResponse lists secrets without their values.
type SecretListResponse struct {
	Secrets []SecretMetadataResponse `json:"secrets"`
}

// SecretVersionResponse is one version of a secret, without its value.
type SecretVersionResponse struct {
	ID         string `json:"id" format:"uuid"`
	Path       string `json:"path"`
	Type       string `json:"type"`
	Version    int    `json:"version"`
	Metadata   Object `json:"metadata"`
	CreatedBy  string `json:"created_by" doc:"user:<uuid> or agent:<uuid>"`
	CreatedAt  Time   `json:"created_at"`
	ExpiresAt  Time   `json:"expires_at,omitzero"`
	IsDisabled bool   `json:"is_disabled"`
}

// SecretVersionListResponse lists the versions of a secret.
type SecretVersionListResponse struct {
	Versions []SecretVersionResponse `json:"versions"`
}

// RotateSecretRequest asks the appliance to make up the next value itself.
type RotateSecretRequest struct {
	Length  *int32 `json:"length,omitempty" doc:"Characters"`
	Charset string `json:"charset,omitempty" maxLength:"256"`
}

// either prefers the published name of a field over its alias.
func either(name, alias string) string {
	if name != "" {
		return name
	}
	return alias
}
