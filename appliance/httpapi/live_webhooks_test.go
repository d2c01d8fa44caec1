package httpapi

import (
	"context"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// webhooksOf makes the webhooks of a live appliance that reaches the Internet only.
func (l *live) webhooksOf() *webhook.Service {
	l.Helper()
	d, err := egress.New(egress.Policy{}, nil)
	l.ok(err)
	p := d.Poster(egress.ClientOptions{})
	return &webhook.Service{
		DB: store.Runner[webhook.Tx](l.db), Now: l.clock.Now,
		CheckURL: func(_ context.Context, url string) error { return p.CheckURL(url) },
	}
}

func (l *live) viewer() *viewer.Service {
	return &viewer.Service{DB: store.Runner[viewer.Tx](l.db), Now: l.clock.Now}
}

const webhookBody = `{"url":"https://hooks.example.com/x","events":["secret.read","share.*"],"description":"ops"}`

// messageLifecycle is the operations of webhooks and of the outbox.
func messageLifecycle() []operation {
	var hook, message string
	text := func(s string) func() string { return func() string { return s } }
	at := func(format string, id *string) func() string {
		return func() string { return strings.Replace(format, "*", *id, 1) }
	}
	return []operation{
		{"createWebhook", post, text("/v1/webhooks"), "owner", text(webhookBody), 201, "webhook.create success", func(a answered) { hook = a.text("id") }, "user"},
		{"listWebhooks", get, text("/v1/webhooks"), "owner", nil, 200, "none", nil, "user"},
		{"getWebhook", get, at("/v1/webhooks/*", &hook), "owner", nil, 200, "none", nil, "user"},
		{"updateWebhook", patch, at("/v1/webhooks/*", &hook), "owner", text(`{"is_active":false}`), 200, "webhook.update success", nil, "user"},
		{"rotateWebhookSecret", post, at("/v1/webhooks/*/rotate-secret", &hook), "owner", nil, 200, "webhook.update success", nil, "user"},
		{"deleteWebhook", remove, at("/v1/webhooks/*", &hook), "owner", nil, 204, "webhook.delete success", nil, "user"},
		{"adminListOutbox", get, text("/v1/admin/outbox?channel=mail&status=pending&limit=10"), "owner", nil, 200, "outbox.read success", func(a answered) { message = a.text("messages.0.id") }, "user"},
		{"adminGetOutboxMessage", get, at("/v1/admin/outbox/*", &message), "owner", nil, 200, "outbox.read success", nil, "user"},
	}
}

func TestWebhooksOverHTTP(t *testing.T) {
	l := newLive(t)
	const members = "id org_id url events description is_active created_by created_at updated_at failures dropped"
	a := l.want(step{name: "create", method: post, url: "/v1/webhooks", as: "owner", body: webhookBody, status: 201, keys: members + " secret",
		has: []string{`"secret":"whsec_`, `"is_active":true`, `"created_by":"user:` + l.ownerID.String(), `"events":["secret.read","share.*"]`}})
	one, secret := "/v1/webhooks/"+a.text("id"), a.text("secret")
	b := l.want(step{name: "rotate", method: post, url: one + "/rotate-secret", as: "owner", status: 200, keys: "secret", lacks: []string{secret}})
	again := b.text("secret")
	refused := func(name, body, code string) step {
		return step{name: name, method: post, url: "/v1/webhooks", as: "owner", body: body, status: 400, has: []string{code}}
	}
	l.run(t, []step{
		{name: "list", url: "/v1/webhooks", as: "owner", status: 200, at: "webhooks.0", keys: members, lacks: []string{secret, again}},
		{name: "get", url: one, as: "owner", status: 200, keys: members, lacks: []string{secret, again}},
		{name: "with a secret of one's own", method: post, url: "/v1/webhooks", as: "owner", status: 201, keys: members,
			body: strings.Replace(webhookBody, "{", `{"secret":"`+canary+`-twenty-four-characters",`, 1), lacks: []string{"whsec_"}},
		{name: "change one thing", method: patch, url: one, as: "owner", body: `{"events":["*"]}`, status: 200, has: []string{`"events":["*"]`, `"description":"ops"`, `"is_active":true`}},
		{name: "no events", method: patch, url: one, as: "owner", body: `{"events":[]}`, status: 400, has: []string{"invalid_webhook_events"}},
		{name: "off", method: patch, url: one, as: "owner", body: `{"is_active":false}`, status: 200, has: []string{`"is_active":false`}},
		{name: "to this machine", method: patch, url: one, as: "owner", body: `{"url":"https://127.0.0.1/"}`, status: 400, has: []string{"invalid_webhook_url", "may not connect to this host"}},
		refused("this machine", `{"url":"http://127.0.0.1:9/","events":["*"]}`, "A webhook cannot go there: The appliance may not connect to this host"),
		refused("a private network", `{"url":"https://10.0.0.1/","events":["*"]}`, "invalid_webhook_url"),
		refused("no TLS", `{"url":"http://hooks.example.com/","events":["*"]}`, "invalid_webhook_url"),
		refused("no events", `{"url":"https://hooks.example.com/","events":[]}`, "invalid_webhook_events"),
		refused("no URL", `{"events":["*"]}`, `"url":"is required"`),
		{name: "a member may not make one", method: post, url: "/v1/webhooks", as: "member", body: webhookBody, status: 403, event: "webhook.create refused access_denied"},
		{name: "nor look", url: "/v1/webhooks", as: "member", status: 403, event: "webhook.read refused access_denied"},
		{name: "nor rotate", method: post, url: one + "/rotate-secret", as: "member", status: 403, event: "webhook.update refused access_denied"},
		{name: "those of others are not there", url: "/v1/webhooks", as: "stranger", status: 200, has: []string{`"webhooks":[]`}},
		{name: "nor by their id", url: one, as: "stranger", status: 404, has: []string{"webhook_not_found"}},
		{name: "nor to be deleted", method: remove, url: one, as: "stranger", status: 404, event: "webhook.delete refused webhook_not_found"},
		{name: "delete", method: remove, url: one, as: "owner", status: 204},
		{name: "gone", url: one, as: "owner", status: 404},
	})
}

// On a site without mail the outbox is where invitations are found.
func TestOutboxOverHTTP(t *testing.T) {
	l := newLive(t)
	const address, members = "eve@example.com", "id org_id channel kind to subject personal status attempts created_at next_attempt_at expires_at"
	l.want(step{name: "invite", method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"` + address + `"}`, status: 200})
	token := l.mailed(address)
	a := l.want(step{name: "list", url: "/v1/admin/outbox", as: "owner", status: 200, at: "messages.0", keys: members, event: "outbox.read success",
		has: []string{`"to":"` + address, `"kind":"invite"`, `"status":"pending"`, `"attempts":0`}, lacks: []string{token}})
	one := "/v1/admin/outbox/" + a.text("messages.0.id")
	l.run(t, []step{
		{name: "read", url: one, as: "owner", status: 200, keys: members + " body", has: []string{token}, event: "outbox.read success"},
		{name: "of one kind", url: "/v1/admin/outbox?kind=welcome", as: "owner", status: 200, has: []string{`"messages":[]`}},
		{name: "of a channel", url: "/v1/admin/outbox?channel=webhook", as: "owner", status: 200, has: []string{`"messages":[]`}},
		{name: "that failed", url: "/v1/admin/outbox?status=failed", as: "owner", status: 200, has: []string{`"messages":[]`}},
		{name: "older than it", url: "/v1/admin/outbox?before=" + a.text("messages.0.id"), as: "owner", status: 200, has: []string{`"messages":[]`}},
		{name: "no such channel", url: "/v1/admin/outbox?channel=pigeon", as: "owner", status: 400},
		{name: "before nothing", url: "/v1/admin/outbox?before=x", as: "owner", status: 400, has: []string{`"before"`}},
		{name: "too many", url: "/v1/admin/outbox?limit=201", as: "owner", status: 400},
		{name: "a member sees nothing of it", url: "/v1/admin/outbox", as: "member", status: 200, has: []string{`"messages":[]`}, event: "none"},
		{name: "nor reads it", url: one, as: "member", status: 404, has: []string{"message_not_found"}, lacks: []string{token}},
		{name: "nor does the owner of another organisation", url: one, as: "stranger", status: 404, lacks: []string{token}},
	})
}
