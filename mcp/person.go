package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"

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

// approvalAt is the page on which people decide about an approval, secretAt that on
// which somebody enters a secret; what names it is in the fragment, which no server
// is sent.
func (c *call) approvalAt(id string) string {
	return c.api.BaseURL() + "/approvals/" + url.PathEscape(id)
}

func (c *call) secretAt(vault, path string) string {
	return c.api.BaseURL() + "/secrets/new#" + url.Values{"vault": {vault}, "path": {path}}.Encode()
}

// needsPerson ends a call with a page for a person to go to: a client of the era
// without sessions shows it to them and calls again.
type needsPerson struct{ ask *sdk.ElicitParams }

// Error implements error.
func (needsPerson) Error() string { return "a person has to do something first" }

// asked is the name of the one thing that a call asks for.
const asked = "page"

// lead has the client lead a person to a page of the appliance, where it can do that,
// and reports whether they agreed to go. What they do there neither the client nor
// the model sees (URL mode of elicitation, since revision 2025-11-25). An error of
// needsPerson has to end the call.
func (c *call) lead(ctx context.Context, message, page string) (went bool, err error) {
	if !leads(c.req.ClientCapabilities()) {
		return false, nil
	}
	if got, ok := c.req.Params.InputResponses[asked]; ok {
		answer, _ := got.(*sdk.ElicitResult)
		return answer != nil && answer.Action == "accept", nil
	}
	ask := &sdk.ElicitParams{Mode: "url", Message: message, URL: page, ElicitationID: rand.Text()}
	if c.stateless() {
		return false, needsPerson{ask}
	}
	answer, err := c.req.Session.Elicit(ctx, ask)
	if err != nil {
		return false, nil //nolint:nilerr // who cannot be asked is told in words
	}
	return answer.Action == "accept", nil
}

// stateless reports whether the client is of the era without sessions, in which a
// server asks for nothing while a call runs.
func (c *call) stateless() bool {
	if c.req.Session == nil {
		return true
	}
	begun := c.req.Session.InitializeParams()
	return begun == nil || begun.ProtocolVersion >= stateless
}

// missing says what to do where a secret is not there: the client leads a person to
// where they enter it.
func (c *call) missing(ctx context.Context, path string, err error) error {
	if !errors.Is(err, client.ErrNotFound) {
		return err
	}
	vault, none := c.vault(ctx)
	if none != nil {
		return err
	}
	went, ended := c.lead(ctx, "An agent asks for the secret "+path+", which is not there. Enter it on this page: the value goes to the vault, and not through the model.", c.secretAt(vault, path))
	switch {
	case ended != nil:
		return ended
	case went:
		return tell("No secret found at path '%s'. A person was asked to enter it; call the tool again when they have.", path)
	}
	return err
}

// approval says what to do where people have to approve first.
func (c *call) approval(ctx context.Context, err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || !errors.Is(err, client.ErrApprovalRequired) {
		return err
	}
	id := refused.Problem.Approval
	if _, ended := c.lead(ctx, "An agent wants to do something that people have to agree to. Look at it and decide on this page.", c.approvalAt(id)); ended != nil {
		return ended
	}
	return tell("People have to approve this first (approval %s). An owner or admin of the organisation decides at\n  %s\n"+
		"or with `oneclaw approval approve %s` in a terminal. Call the tool again with the same arguments when they have.", id, c.approvalAt(id), id)
}
