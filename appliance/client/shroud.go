package client

import (
	"context"
	"net/url"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ShroudQuery selects calls of models; its zero fields select all.
type ShroudQuery struct {
	AgentID string
	Limit   int    // 0 means 50, 200 at most
	Cursor  string // the NextCursor of the page before
}

// ListShroudActivity is a page of the calls of models, newest first.
func (c *Client) ListShroudActivity(ctx context.Context, q ShroudQuery) (api.ShroudActivityResponse, error) {
	return read[api.ShroudActivityResponse](ctx, c, "/v1/shroud/activity", query{}.text("agent_id", q.AgentID).number("limit", q.Limit).text("cursor", q.Cursor))
}

// GetShroudActivity is a call of a model, with its request if that is kept.
func (c *Client) GetShroudActivity(ctx context.Context, eventID string) (api.ShroudCallResponse, error) {
	return read[api.ShroudCallResponse](ctx, c, "/v1/shroud/activity/"+url.PathEscape(eventID), nil)
}

// ShroudThreatSummary sums up what was found in calls of models in 24h, 7d or 30d.
func (c *Client) ShroudThreatSummary(ctx context.Context, period string) (api.ShroudThreatSummaryResponse, error) {
	return read[api.ShroudThreatSummaryResponse](ctx, c, "/v1/shroud/threat-summary", query{}.text("period", period))
}
