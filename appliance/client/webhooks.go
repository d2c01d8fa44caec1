package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListWebhooks lists where events of the organisation are sent. Webhooks are for who
// manages the organisation.
func (c *Client) ListWebhooks(ctx context.Context) (api.WebhookListResponse, error) {
	return read[api.WebhookListResponse](ctx, c, "/v1/webhooks", nil)
}

// CreateWebhook has events sent to a URL. What signs the deliveries is shown this once,
// unless the caller chose it. ErrConflict: there are twenty.
func (c *Client) CreateWebhook(ctx context.Context, in api.CreateWebhookRequest) (api.WebhookCreatedResponse, error) {
	return write[api.WebhookCreatedResponse](ctx, c, http.MethodPost, "/v1/webhooks", in)
}

// GetWebhook looks at a webhook.
func (c *Client) GetWebhook(ctx context.Context, webhook string) (api.WebhookResponse, error) {
	return read[api.WebhookResponse](ctx, c, route("v1", "webhooks", webhook), nil)
}

// UpdateWebhook changes what the request names, and switches a webhook off and on.
func (c *Client) UpdateWebhook(ctx context.Context, webhook string, in api.UpdateWebhookRequest) (api.WebhookResponse, error) {
	return write[api.WebhookResponse](ctx, c, http.MethodPatch, route("v1", "webhooks", webhook), in)
}

// DeleteWebhook takes a webhook away. What waits to be delivered is not sent.
func (c *Client) DeleteWebhook(ctx context.Context, webhook string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "webhooks", webhook), nil)
}

// RotateWebhookSecret has deliveries signed with another secret, shown this once.
func (c *Client) RotateWebhookSecret(ctx context.Context, webhook string) (api.WebhookSecretResponse, error) {
	return write[api.WebhookSecretResponse](ctx, c, http.MethodPost, route("v1", "webhooks", webhook, "rotate-secret"), nil)
}
