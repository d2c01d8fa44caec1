package mcp

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/client"
)

// progress tells a client that asked for it what is being done.
func (c *call) progress(ctx context.Context, what string) {
	token := c.req.Params.GetProgressToken()
	if token == nil {
		return
	}
	// Who is not there to hear it does not keep the call from being made.
	_ = c.req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Total: 1, Message: what})
}

// approval says what to do where people have to agree first.
func (c *call) approval(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || !errors.Is(err, client.ErrApprovalRequired) {
		return err
	}
	id := refused.Problem.Approval
	return told(fmt.Sprintf("People have to approve this first (approval %s). An owner or admin of the organisation decides, in a terminal:\n"+
		"  oneclaw approval approve %s\nCall the tool again with the same arguments when they have.", id, id))
}
