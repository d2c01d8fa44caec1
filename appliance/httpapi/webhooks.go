package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

func (s *Server) webhookRoutes() []route {
	const (
		tag = "Webhooks"
		all = "/v1/webhooks"
		one = all + "/{webhook_id}"
	)
	return []route{
		handle(post, all, "createWebhook", s.createWebhook, who(human), status(201), doc(tag, "Have events sent to a URL")),
		handle(get, all, "listWebhooks", s.listWebhooks, who(human), doc(tag, "List the organisation's webhooks")),
		handle(get, one, "getWebhook", s.getWebhook, who(human), doc(tag, "Look at a webhook")),
		handle(patch, one, "updateWebhook", s.updateWebhook, who(human), doc(tag, "Change a webhook, or switch it off and on")),
		handle(remove, one, "deleteWebhook", s.deleteWebhook, who(human), doc(tag, "Take a webhook away; what waits is not sent")),
		handle(post, one+"/rotate-secret", "rotateWebhookSecret", s.rotateWebhookSecret, who(human), doc(tag, "Have deliveries signed with another secret, shown once")),
	}
}

type newWebhookInput struct{ Body api.CreateWebhookRequest }

func (s *Server) createWebhook(ctx context.Context, in *newWebhookInput) (*reply[api.WebhookCreatedResponse], error) {
	w, secret, err := s.webhooks.Create(ctx, caller(ctx), webhook.Spec{
		URL: in.Body.URL, Events: in.Body.Events, Description: in.Body.Description, Secret: in.Body.Secret,
	})
	if err != nil {
		return nil, err
	}
	return answer(api.WebhookCreatedResponse{WebhookResponse: wireWebhook(w), Secret: secret})
}

func (s *Server) listWebhooks(ctx context.Context, _ *none) (*reply[api.WebhookListResponse], error) {
	all, err := s.webhooks.List(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.WebhookListResponse{Webhooks: listOf(all, wireWebhook)})
}

type webhookInput struct {
	WebhookID id.ID `path:"webhook_id" format:"uuid"`
}

func (s *Server) getWebhook(ctx context.Context, in *webhookInput) (*reply[api.WebhookResponse], error) {
	w, err := s.webhooks.Read(ctx, caller(ctx), in.WebhookID)
	if err != nil {
		return nil, err
	}
	return answer(wireWebhook(w))
}

type updateWebhookInput struct {
	WebhookID id.ID `path:"webhook_id" format:"uuid"`
	Body      api.UpdateWebhookRequest
}

func (s *Server) updateWebhook(ctx context.Context, in *updateWebhookInput) (*reply[api.WebhookResponse], error) {
	w, err := s.webhooks.Update(ctx, caller(ctx), in.WebhookID, webhook.Change{
		URL: in.Body.URL, Events: in.Body.Events, Description: in.Body.Description, Active: in.Body.IsActive,
	})
	if err != nil {
		return nil, err
	}
	return answer(wireWebhook(w))
}

func (s *Server) deleteWebhook(ctx context.Context, in *webhookInput) (*none, error) {
	return nil, s.webhooks.Delete(ctx, caller(ctx), in.WebhookID)
}

func (s *Server) rotateWebhookSecret(ctx context.Context, in *webhookInput) (*reply[api.WebhookSecretResponse], error) {
	secret, err := s.webhooks.RotateSecret(ctx, caller(ctx), in.WebhookID)
	if err != nil {
		return nil, err
	}
	return answer(api.WebhookSecretResponse{Secret: secret})
}

func wireWebhook(w webhook.Subscription) api.WebhookResponse {
	return api.WebhookResponse{
		ID: w.ID.String(), OrgID: w.Org.String(), URL: w.URL, Events: notNil(w.Events), Description: w.Description, IsActive: w.Active,
		CreatedBy: wirePrincipal(policy.Principal{Type: string(identity.KindUser), ID: w.CreatedBy}),
		CreatedAt: api.At(w.CreatedAt), UpdatedAt: api.At(w.UpdatedAt),
		Failures: w.Failures, FailingSince: api.At(w.FailingSince), DisabledAt: api.At(w.DisabledAt), Dropped: w.Dropped,
	}
}
