package api

// CreateWebhookRequest has events sent to a URL.
type CreateWebhookRequest struct {
	URL         string   `json:"url" maxLength:"2048" doc:"https; http only to hosts near the appliance, where those are allowed"`
	Events      []string `json:"events" doc:"*, or events such as secret.read and share.*"`
	Description string   `json:"description,omitempty"`
	Secret      string   `json:"secret,omitempty" doc:"The key that signs deliveries; one is made and shown if it is left out"`
}

// UpdateWebhookRequest changes what it names.
type UpdateWebhookRequest struct {
	URL         *string  `json:"url,omitempty" maxLength:"2048"`
	Events      []string `json:"events,omitzero"`
	Description *string  `json:"description,omitempty"`
	IsActive    *bool    `json:"is_active,omitempty" doc:"true also forgets past failures"`
}

// WebhookResponse is one webhook of the caller's organisation.
type WebhookResponse struct {
	ID           string   `json:"id" format:"uuid"`
	OrgID        string   `json:"org_id" format:"uuid"`
	URL          string   `json:"url"`
	Events       []string `json:"events"`
	Description  string   `json:"description,omitempty"`
	IsActive     bool     `json:"is_active"`
	CreatedBy    string   `json:"created_by" doc:"user:<uuid>"`
	CreatedAt    Time     `json:"created_at"`
	UpdatedAt    Time     `json:"updated_at"`
	Failures     int      `json:"failures" doc:"Deliveries that were refused, since the last that arrived"`
	FailingSince Time     `json:"failing_since,omitzero"`
	DisabledAt   Time     `json:"disabled_at,omitzero" doc:"When the appliance gave it up"`
	Dropped      uint64   `json:"dropped" doc:"Events that were not sent because too many were waiting"`
}

// WebhookCreatedResponse is a new webhook and, this once, what signs its
// deliveries, unless the caller chose that.
type WebhookCreatedResponse struct {
	WebhookResponse
	Secret string `json:"secret,omitempty"`
}

// WebhookListResponse lists webhooks, oldest first.
type WebhookListResponse struct {
	Webhooks []WebhookResponse `json:"webhooks"`
}

// WebhookSecretResponse is the one time that a new secret is shown.
type WebhookSecretResponse struct {
	Secret string `json:"secret"`
}
