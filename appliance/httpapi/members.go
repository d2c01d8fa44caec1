package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
)

func (s *Server) memberRoutes() []route {
	const (
		tag         = "Organization"
		members     = "/v1/org/members"
		invitations = "/v1/org/invitations"
		accounts    = "/v1/admin/users"
	)
	return []route{
		handle(get, members, "listOrgMembers", s.listMembers, who(human), doc(tag, "List the people of the organisation")),
		handle(patch, members+"/{user_id}", "updateMemberRole", s.updateMember, who(human), doc(tag, "Give a member another role")),
		handle(remove, members+"/{user_id}", "removeMember", s.removeMember, who(human), doc(tag, "Take a member out and delete the account")),
		handle(post, "/v1/org/invite", "inviteMember", s.invite, who(human), doc(tag, "Invite an address")),
		handle(get, invitations, "listInvitations", s.listInvitations, who(human), doc(tag, "List invitations that wait for an answer")),
		handle(remove, invitations+"/{invitation_id}", "revokeInvitation", s.revokeInvitation, who(human), doc(tag, "Take an invitation back")),
		handle(post, invitations+"/accept", "acceptInvitation", s.acceptInvitation, optional, guessable, doc(tag, "Make the account that an invitation offers")),
		handle(get, "/v1/org/agent-keys-vault", "getAgentKeysVault", s.agentKeysVault, who(human), doc(tag, "Which vault has the agents' private keys")),
		handle(get, accounts, "adminListUsers", s.listAccounts, who(human), doc("Admin", "List every account")),
		handle(remove, accounts+"/{user_id}", "adminDeleteUser", s.deleteAccount, who(human), doc("Admin", "Delete an account")),
	}
}

func wireMember(u identity.User) api.OrgMemberResponse {
	return api.OrgMemberResponse{
		ID: u.ID.String(), Email: u.Email, DisplayName: u.DisplayName, Role: string(u.Role),
		AuthMethod: u.AuthMethod, CreatedAt: api.At(u.CreatedAt),
	}
}

func (s *Server) listMembers(ctx context.Context, _ *none) (*reply[api.OrgMemberListResponse], error) {
	all, err := s.accounts.Members(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.OrgMemberListResponse{Members: listOf(all, wireMember)})
}

type updateMemberInput struct {
	UserID id.ID `path:"user_id" format:"uuid"`
	Body   api.UpdateMemberRoleRequest
}

func (s *Server) updateMember(ctx context.Context, in *updateMemberInput) (*reply[api.OrgMemberResponse], error) {
	u, err := s.accounts.ChangeRole(ctx, caller(ctx), in.UserID, identity.Role(in.Body.Role))
	if err != nil {
		return nil, err
	}
	return answer(wireMember(u))
}

type memberInput struct {
	UserID id.ID `path:"user_id" format:"uuid"`
}

func (s *Server) removeMember(ctx context.Context, in *memberInput) (*none, error) {
	return nil, s.accounts.Remove(ctx, caller(ctx), in.UserID)
}

type inviteInput struct{ Body api.InviteMemberRequest }

func (s *Server) invite(ctx context.Context, in *inviteInput) (*reply[api.InviteMemberResponse], error) {
	i, err := s.accounts.Invite(ctx, caller(ctx), in.Body.Email, identity.Role(in.Body.Role))
	if err != nil {
		return nil, err
	}
	return answer(api.InviteMemberResponse{Message: "The invitation is on its way", Email: i.Email})
}

func (s *Server) listInvitations(ctx context.Context, _ *none) (*reply[api.InvitationListResponse], error) {
	all, err := s.accounts.Invitations(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.InvitationListResponse{Invitations: listOf(all, func(i people.Invitation) api.InvitationResponse {
		return api.InvitationResponse{
			ID: i.ID.String(), Email: i.Email, Role: string(i.Role), InvitedBy: i.InvitedBy.String(),
			CreatedAt: api.At(i.CreatedAt), ExpiresAt: api.At(i.Expires),
		}
	})})
}

type invitationInput struct {
	InvitationID id.ID `path:"invitation_id" format:"uuid"`
}

func (s *Server) revokeInvitation(ctx context.Context, in *invitationInput) (*none, error) {
	return nil, s.accounts.Uninvite(ctx, caller(ctx), in.InvitationID)
}

type acceptInput struct{ Body api.AcceptInvitationRequest }

func (s *Server) acceptInvitation(ctx context.Context, in *acceptInput) (*reply[api.TokenResponse], error) {
	tok, err := s.accounts.Accept(ctx, caller(ctx), in.Body.Token, in.Body.Password, in.Body.DisplayName, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireToken(tok))
}

func (s *Server) agentKeysVault(ctx context.Context, _ *none) (*reply[api.AgentKeysVaultResponse], error) {
	v, err := s.accounts.AgentKeysVault(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.AgentKeysVaultResponse{VaultID: v.String()})
}

// noTier is what clients call the tier of an account that pays nothing. Nobody
// pays here, and no tier opens or closes anything.
const noTier = "free"

func (s *Server) listAccounts(ctx context.Context, _ *none) (*reply[api.AdminUsersListResponse], error) {
	all, err := s.accounts.Accounts(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.AdminUsersListResponse{Total: len(all), Users: listOf(all, func(u people.Account) api.AdminUserResponse {
		return api.AdminUserResponse{
			ID: u.ID.String(), Email: u.Email, DisplayName: u.DisplayName, Role: string(u.Role), AuthMethod: u.AuthMethod,
			OrgID: u.Org.String(), OrgName: u.OrgName, BillingTier: noTier, CreatedAt: api.At(u.CreatedAt),
		}
	})})
}

func (s *Server) deleteAccount(ctx context.Context, in *memberInput) (*none, error) {
	return nil, s.accounts.DeleteAccount(ctx, caller(ctx), in.UserID)
}
