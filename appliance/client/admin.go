package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// What those do who run the appliance: the owners and admins of its organisation.
// Others are refused with ErrForbidden.

// AdminListUsers lists every account.
func (c *Client) AdminListUsers(ctx context.Context) (api.AdminUsersListResponse, error) {
	return read[api.AdminUsersListResponse](ctx, c, "/v1/admin/users", nil)
}

// AdminDeleteUser deletes an account. One's own is refused with ErrInvalid, the last
// owner of an organisation with ErrConflict.
func (c *Client) AdminDeleteUser(ctx context.Context, user string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "admin", "users", user), nil)
}

// AdminListSettings lists the settings that somebody set.
func (c *Client) AdminListSettings(ctx context.Context) (api.SettingsListResponse, error) {
	return read[api.SettingsListResponse](ctx, c, "/v1/admin/settings", nil)
}

// AdminGetSetting looks at a setting. ErrNotFound: it is not set.
func (c *Client) AdminGetSetting(ctx context.Context, key string) (api.SettingResponse, error) {
	return read[api.SettingResponse](ctx, c, route("v1", "admin", "settings", key), nil)
}

// AdminUpdateSetting sets a setting. ErrInvalid: there is none of that name, or it
// cannot have that value.
func (c *Client) AdminUpdateSetting(ctx context.Context, key string, in api.UpdateSettingRequest) (api.SettingResponse, error) {
	return write[api.SettingResponse](ctx, c, http.MethodPut, route("v1", "admin", "settings", key), in)
}

// AdminDeleteSetting takes a setting back to what it is by itself.
func (c *Client) AdminDeleteSetting(ctx context.Context, key string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "admin", "settings", key), nil)
}

// AdminListLLMPrices is the list of what models cost.
func (c *Client) AdminListLLMPrices(ctx context.Context) (api.LLMPricesResponse, error) {
	return read[api.LLMPricesResponse](ctx, c, "/v1/admin/llm-prices", nil)
}

// AdminReplaceLLMPrices sets the operator's own prices, all of them.
func (c *Client) AdminReplaceLLMPrices(ctx context.Context, in api.ReplaceLLMPricesRequest) (api.LLMPricesResponse, error) {
	return write[api.LLMPricesResponse](ctx, c, http.MethodPut, "/v1/admin/llm-prices", in)
}

// OutboxQuery says which messages are listed. The zero value is the newest fifty.
type OutboxQuery struct {
	Channel string // mail or webhook
	Kind    string
	Status  string // pending, sent or failed
	Before  string // the id of a message: those older than it
	Limit   int    // 1 to 200
}

// AdminListOutbox is a page of what waits to be sent and what was sent lately, newest
// first. Who runs the appliance finds all of it, an owner what is of the organisation,
// and everybody else what is for them. OutboxMessages reads all of it.
func (c *Client) AdminListOutbox(ctx context.Context, q OutboxQuery) (api.OutboxListResponse, error) {
	return read[api.OutboxListResponse](ctx, c, "/v1/admin/outbox", query{}.text("channel", q.Channel).text("kind", q.Kind).
		text("status", q.Status).text("before", q.Before).number("limit", q.Limit))
}

// AdminGetOutboxMessage reads a message that waits, which the audit log shows.
func (c *Client) AdminGetOutboxMessage(ctx context.Context, message string) (api.OutboxMessageResponse, error) {
	return read[api.OutboxMessageResponse](ctx, c, route("v1", "admin", "outbox", message), nil)
}
