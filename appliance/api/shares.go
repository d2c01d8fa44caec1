package api

// CreateShareRequest offers a secret to somebody.
type CreateShareRequest struct {
	RecipientType  string   `json:"recipient_type,omitempty" enum:"user,agent,external_email,anyone_with_link,creator"`
	RecipientID    string   `json:"recipient_id,omitempty" format:"uuid" doc:"For user and agent"`
	Email          string   `json:"email,omitempty" maxLength:"254" doc:"For external_email"`
	EmailAlias     string   `json:"recipient_email,omitempty" maxLength:"254" deprecated:"true"`
	Permissions    []string `json:"permissions,omitzero" doc:"Must be read, which is what a share gives"`
	MaxAccessCount *int32   `json:"max_access_count,omitempty" doc:"How many times the share opens"`
	MaxViewsAlias  *int32   `json:"max_views,omitempty" deprecated:"true"`
	ExpiresAt      Time     `json:"expires_at,omitzero" doc:"In 7 days when left out"`
	ExpiresInHours *int32   `json:"expires_in_hours,omitempty" doc:"Instead of expires_at"`
	Passphrase     *string  `json:"passphrase,omitempty" doc:"To be sent as X-Share-Passphrase at each access"`
	IPAllowlist    []string `json:"ip_allowlist,omitzero" doc:"Addresses and CIDR blocks from which the share opens"`
}

// Address is the e-mail address under either of its names.
func (r *CreateShareRequest) Address() string { return either(r.Email, r.EmailAlias) }

// MaxAccess is the limit under either of its names, nil for none.
func (r *CreateShareRequest) MaxAccess() *int64 {
	limit := r.MaxAccessCount
	if limit == nil {
		limit = r.MaxViewsAlias
	}
	if limit == nil {
		return nil
	}
	n := int64(*limit)
	return &n
}

// CreateShareOfRequest is CreateShareRequest with the secret in the body,
// either by its id or by its vault and path. The fields are spelled out, since
// errors about those of an embedded struct name the struct.
type CreateShareOfRequest struct {
	SecretID   string `json:"secret_id,omitempty" format:"uuid"`
	VaultID    string `json:"vault_id,omitempty" format:"uuid"`
	SecretPath string `json:"secret_path,omitempty"`

	RecipientType  string   `json:"recipient_type,omitempty" enum:"user,agent,external_email,anyone_with_link,creator"`
	RecipientID    string   `json:"recipient_id,omitempty" format:"uuid" doc:"For user and agent"`
	Email          string   `json:"email,omitempty" maxLength:"254" doc:"For external_email"`
	EmailAlias     string   `json:"recipient_email,omitempty" maxLength:"254" deprecated:"true"`
	Permissions    []string `json:"permissions,omitzero" doc:"Must be read, which is what a share gives"`
	MaxAccessCount *int32   `json:"max_access_count,omitempty" doc:"How many times the share opens"`
	MaxViewsAlias  *int32   `json:"max_views,omitempty" deprecated:"true"`
	ExpiresAt      Time     `json:"expires_at,omitzero" doc:"In 7 days when left out"`
	ExpiresInHours *int32   `json:"expires_in_hours,omitempty" doc:"Instead of expires_at"`
	Passphrase     *string  `json:"passphrase,omitempty" doc:"To be sent as X-Share-Passphrase at each access"`
	IPAllowlist    []string `json:"ip_allowlist,omitzero" doc:"Addresses and CIDR blocks from which the share opens"`
}

// Offer is the request without the secret.
func (r *CreateShareOfRequest) Offer() CreateShareRequest {
	return CreateShareRequest{
		RecipientType: r.RecipientType, RecipientID: r.RecipientID, Email: r.Email, EmailAlias: r.EmailAlias,
		Permissions: r.Permissions, MaxAccessCount: r.MaxAccessCount, MaxViewsAlias: r.MaxViewsAlias,
		ExpiresAt: r.ExpiresAt, ExpiresInHours: r.ExpiresInHours, Passphrase: r.Passphrase, IPAllowlist: r.IPAllowlist,
	}
}

// ShareResponse is a share that was made.
type ShareResponse struct {
	ID             string `json:"id" format:"uuid"`
	ShareURL       string `json:"share_url" format:"uri"`
	RecipientType  string `json:"recipient_type"`
	RecipientEmail string `json:"recipient_email,omitempty"`
	ExpiresAt      Time   `json:"expires_at"`
	MaxAccessCount *int32 `json:"max_access_count,omitempty"`
}

// ShareListItem is a share without its secret.
type ShareListItem struct {
	ID             string `json:"id" format:"uuid"`
	ShareURL       string `json:"share_url" format:"uri"`
	SecretID       string `json:"secret_id" format:"uuid"`
	SecretPath     string `json:"secret_path"`
	RecipientType  string `json:"recipient_type"`
	RecipientID    string `json:"recipient_id,omitempty" format:"uuid"`
	RecipientEmail string `json:"recipient_email,omitempty" doc:"Shown to who made the share"`
	Status         string `json:"status" doc:"pending, accepted, active, declined, expired or exhausted"`
	AccessCount    int32  `json:"access_count"`
	MaxAccessCount *int32 `json:"max_access_count,omitempty"`
	ExpiresAt      Time   `json:"expires_at"`
	CreatedAt      Time   `json:"created_at"`
	IsExpired      bool   `json:"is_expired"`
	IsAccepted     bool   `json:"is_accepted"`
}

// ShareListResponse lists shares.
type ShareListResponse struct {
	Shares []ShareListItem `json:"shares"`
}

// AccessShareRequest carries the passphrase of a share in the body.
type AccessShareRequest struct {
	Passphrase string `json:"passphrase,omitempty"`
}

// SharedSecretResponse is what a share shows; the id is the share's.
type SharedSecretResponse struct {
	ID             string `json:"id" format:"uuid"`
	Path           string `json:"path"`
	Type           string `json:"type"`
	Value          string `json:"value"`
	AccessCount    int32  `json:"access_count"`
	MaxAccessCount *int32 `json:"max_access_count,omitempty"`
}
