package httpapi

import "github.com/oneclaw/oneclawd/internal/id"

func aWebhook(c *cast, _ string) things {
	return things{"webhook_id": c.does("owner", post, "/v1/webhooks", webhookBody).text("id")}
}

// aMessage is what an invitation leaves in the outbox.
func aMessage(c *cast, _ string) things {
	c.does("owner", post, "/v1/org/invite", `{"email":"`+id.Random().String()+`@example.org"}`)
	return things{"message_id": c.does("owner", get, "/v1/admin/outbox?limit=1", "").text("messages.0.id")}
}

// messageTrials are those of webhooks and of the outbox.
func messageTrials() map[string]trial {
	return map[string]trial{
		"POST /v1/webhooks":                            {body: webhookBody},
		"GET /v1/webhooks":                             {make: aWebhook, shows: "webhook_id", to: []string{"owner", "admin"}},
		"GET /v1/webhooks/{webhook_id}":                {make: aWebhook},
		"PATCH /v1/webhooks/{webhook_id}":              {make: aWebhook, body: `{"description":"new"}`},
		"POST /v1/webhooks/{webhook_id}/rotate-secret": {make: aWebhook},
		"DELETE /v1/webhooks/{webhook_id}":             {make: aWebhook},
		"GET /v1/admin/outbox":                         {make: aMessage, shows: "message_id", to: []string{"owner", "platform"}},
		"GET /v1/admin/outbox/{message_id}":            {make: aMessage},
	}
}
