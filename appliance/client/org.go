package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// What the people of an organisation do about it. Agents are refused with
// ErrForbidden, and so are members, where it says that it is for who manages the
// organisation: its owners and admins.

// ListOrgMembers lists the people of the organisation.
func (c *Client) ListOrgMembers(ctx context.Context) (api.OrgMemberListResponse, error) {
	return read[api.OrgMemberListResponse](ctx, c, "/v1/org/members", nil)
}

// UpdateMemberRole gives a member another role. It is for who manages the
// organisation, and only owners touch owners. ErrConflict: it is the last owner.
func (c *Client) UpdateMemberRole(ctx context.Context, user string, in api.UpdateMemberRoleRequest) (api.OrgMemberResponse, error) {
	return write[api.OrgMemberResponse](ctx, c, http.MethodPatch, route("v1", "org", "members", user), in)
}

// RemoveMember takes a member out and deletes the account, as UpdateMemberRole allows.
func (c *Client) RemoveMember(ctx context.Context, user string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "org", "members", user), nil)
}

// InviteMember sends an invitation to an address. It is for who manages the
// organisation. ErrConflict: the person is a member. ErrRateLimited: too many were
// sent lately.
func (c *Client) InviteMember(ctx context.Context, in api.InviteMemberRequest) (api.InviteMemberResponse, error) {
	return write[api.InviteMemberResponse](ctx, c, http.MethodPost, "/v1/org/invite", in)
}

// ListInvitations lists the invitations that wait for an answer. It is for who
// manages the organisation.
func (c *Client) ListInvitations(ctx context.Context) (api.InvitationListResponse, error) {
	return read[api.InvitationListResponse](ctx, c, "/v1/org/invitations", nil)
}

// RevokeInvitation takes an invitation back. It is for who manages the organisation.
func (c *Client) RevokeInvitation(ctx context.Context, invitation string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "org", "invitations", invitation), nil)
}

// AcceptInvitation makes the account that an invitation offers, and signs in. It needs
// no token, and refuses whoever has an account with ErrConflict.
func (c *Client) AcceptInvitation(ctx context.Context, in api.AcceptInvitationRequest) (api.TokenResponse, error) {
	return write[api.TokenResponse](ctx, c, http.MethodPost, "/v1/org/invitations/accept", in)
}

// GetAgentKeysVault says in which vault the private keys of the organisation's agents
// are. ErrNotFound: it has no agents yet.
func (c *Client) GetAgentKeysVault(ctx context.Context) (api.AgentKeysVaultResponse, error) {
	return read[api.AgentKeysVaultResponse](ctx, c, "/v1/org/agent-keys-vault", nil)
}

const freezeRoute = "/v1/org/signing-freeze"

// GetSigningFreeze says whether signing is stopped in the organisation. Agents may
// ask too.
func (c *Client) GetSigningFreeze(ctx context.Context) (api.FreezeResponse, error) {
	return read[api.FreezeResponse](ctx, c, freezeRoute, nil)
}

// FreezeSigning stops all signing in the organisation at once. It is for who manages
// it.
func (c *Client) FreezeSigning(ctx context.Context, in api.FreezeRequest) (api.FreezeResponse, error) {
	return write[api.FreezeResponse](ctx, c, http.MethodPut, freezeRoute, in)
}

// ThawSigning lets agents sign again. It is for who manages the organisation.
func (c *Client) ThawSigning(ctx context.Context) error {
	return tell(ctx, c, http.MethodDelete, freezeRoute, nil)
}

// ListIPRules lists from which addresses the organisation's API may be used. It is for
// who manages the organisation, as are the other operations on IP rules.
func (c *Client) ListIPRules(ctx context.Context) (api.IpRulesListResponse, error) {
	return read[api.IpRulesListResponse](ctx, c, "/v1/security/ip-rules", nil)
}

// CreateIPRule lets addresses in or keeps them out. ErrConflict: it would lock out the
// address that the caller asks from.
func (c *Client) CreateIPRule(ctx context.Context, in api.CreateIpRuleRequest) (api.IpRuleResponse, error) {
	return write[api.IpRuleResponse](ctx, c, http.MethodPost, "/v1/security/ip-rules", in)
}

// DeleteIPRule takes a rule away, unless that would lock out the caller: ErrConflict.
func (c *Client) DeleteIPRule(ctx context.Context, rule string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "security", "ip-rules", rule), nil)
}
