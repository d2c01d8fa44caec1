package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/viewer"
)

func (s *Server) outboxRoutes() []route {
	const (
		tag = "Admin"
		all = "/v1/admin/outbox"
	)
	return []route{
		handle(get, all, "adminListOutbox", s.listMessages, who(human), doc(tag, "List what waits to be sent, and what was sent lately")),
		handle(get, all+"/{message_id}", "adminGetOutboxMessage", s.getMessage, who(human), doc(tag, "Read a message that waits; this is recorded")),
	}
}

type listMessagesInput struct {
	Channel string `query:"channel" enum:"mail,webhook"`
	Kind    string `query:"kind" maxLength:"64"`
	Status  string `query:"status" enum:"pending,sent,failed"`
	Before  string `query:"before" format:"uuid" doc:"Only messages older than this one: the next page"`
	Limit   int64  `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) listMessages(ctx context.Context, in *listMessagesInput) (*reply[api.OutboxListResponse], error) {
	f := viewer.Filter{Channel: outbox.Channel(in.Channel), Kind: outbox.Kind(in.Kind), State: outbox.State(in.Status), Limit: int(in.Limit)}
	if in.Before != "" {
		var err error
		if f.Before, err = id.Parse(in.Before); err != nil {
			return nil, invalidField("before", "is not a UUID")
		}
	}
	all, err := s.outbox.List(ctx, caller(ctx), f)
	if err != nil {
		return nil, err
	}
	return answer(api.OutboxListResponse{Messages: listOf(all, wireMessage)})
}

type messageInput struct {
	MessageID id.ID `path:"message_id" format:"uuid"`
}

func (s *Server) getMessage(ctx context.Context, in *messageInput) (*reply[api.OutboxMessageResponse], error) {
	m, err := s.outbox.Show(ctx, caller(ctx), in.MessageID)
	if err != nil {
		return nil, err
	}
	return answer(wireMessage(m))
}

func wireMessage(m outbox.Message) api.OutboxMessageResponse {
	out := api.OutboxMessageResponse{
		ID: m.ID.String(), Channel: string(m.Channel), Kind: string(m.Kind), To: m.To, Subject: m.Subject, Body: m.Body, Personal: m.Personal,
		Status: string(m.State), Attempts: m.Attempts, LastError: m.LastError,
		CreatedAt: api.At(m.CreatedAt), ExpiresAt: api.At(m.NotAfter), SettledAt: api.At(m.SettledAt),
	}
	if !m.Org.IsZero() {
		out.OrgID = m.Org.String()
	}
	if m.State == outbox.Pending {
		out.NextAt = api.At(m.NextAt)
	}
	return out
}
