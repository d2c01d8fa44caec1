package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ApprovalQuery says which approvals are listed. The zero value is the newest
// hundred.
type ApprovalQuery struct {
	Status string // pending, approved, denied or expired
	Limit  int    // 1 to 1000
}

// ListApprovals lists what people are asked, newest first. An agent sees what it
// asked for.
func (c *Client) ListApprovals(ctx context.Context, q ApprovalQuery) (api.ApprovalListResponse, error) {
	return read[api.ApprovalListResponse](ctx, c, "/v1/approvals", query{}.text("status", q.Status).number("limit", q.Limit))
}

// GetApproval looks at an approval.
func (c *Client) GetApproval(ctx context.Context, approval string) (api.ApprovalResponse, error) {
	return read[api.ApprovalResponse](ctx, c, route("v1", "approvals", approval), nil)
}

// ApproveRequest agrees. It is for who manages the organisation and is not who asked.
// ErrConflict: it is decided, or the caller has agreed already.
func (c *Client) ApproveRequest(ctx context.Context, approval string) (api.ApprovalResponse, error) {
	return write[api.ApprovalResponse](ctx, c, http.MethodPost, route("v1", "approvals", approval, "approve"), nil)
}

// DenyRequest disagrees, which ends it.
func (c *Client) DenyRequest(ctx context.Context, approval string, in api.DenyRequest) (api.ApprovalResponse, error) {
	return write[api.ApprovalResponse](ctx, c, http.MethodPost, route("v1", "approvals", approval, "deny"), in)
}

// DecideRequest is ApproveRequest or DenyRequest, by what is in the body.
func (c *Client) DecideRequest(ctx context.Context, approval string, in api.DecideRequest) (api.ApprovalResponse, error) {
	return write[api.ApprovalResponse](ctx, c, http.MethodPost, route("v1", "approvals", approval, "decide"), in)
}
