package httpapi

import (
	"context"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func (s *Server) approvalRoutes() []route {
	const (
		tag = "Approvals"
		all = "/v1/approvals"
		one = all + "/{approval_id}"
	)
	return []route{
		handle(get, all, "listApprovals", s.listApprovals, doc(tag, "List what people are asked, newest first; an agent sees its own")),
		handle(get, one, "getApproval", s.getApproval, doc(tag, "Look at an approval")),
		handle(post, one+"/approve", "approveRequest", s.approveRequest, who(human), doc(tag, "Agree")),
		handle(post, one+"/deny", "denyRequest", s.denyRequest, who(human), doc(tag, "Disagree, which ends it")),
		handle(post, one+"/decide", "decideRequest", s.decideRequest, who(human), doc(tag, "Agree or disagree")),
	}
}

type approvalsInput struct {
	Status string `query:"status" enum:"pending,approved,denied,expired"`
	Limit  int64  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (s *Server) listApprovals(ctx context.Context, in *approvalsInput) (*reply[api.ApprovalListResponse], error) {
	list, err := s.intents.Approvals(ctx, caller(ctx), intents.ApprovalStatus(in.Status), int(in.Limit))
	if err != nil {
		return nil, err
	}
	return answer(api.ApprovalListResponse{Approvals: listOf(list, wireApproval)})
}

type approvalInput struct {
	ApprovalID id.ID `path:"approval_id" format:"uuid"`
}

func (s *Server) getApproval(ctx context.Context, in *approvalInput) (*reply[api.ApprovalResponse], error) {
	a, err := s.intents.Approval(ctx, caller(ctx), in.ApprovalID)
	return approvalReply(a, err)
}

func (s *Server) approveRequest(ctx context.Context, in *approvalInput) (*reply[api.ApprovalResponse], error) {
	a, err := s.intents.Approve(ctx, caller(ctx), in.ApprovalID)
	return approvalReply(a, err)
}

type denyInput struct {
	ApprovalID id.ID `path:"approval_id" format:"uuid"`
	Body       *api.DenyRequest
}

func (s *Server) denyRequest(ctx context.Context, in *denyInput) (*reply[api.ApprovalResponse], error) {
	var reason string
	if in.Body != nil {
		reason = in.Body.Reason
	}
	a, err := s.intents.Deny(ctx, caller(ctx), in.ApprovalID, reason)
	return approvalReply(a, err)
}

type decideInput struct {
	ApprovalID id.ID `path:"approval_id" format:"uuid"`
	Body       api.DecideRequest
}

func (s *Server) decideRequest(ctx context.Context, in *decideInput) (*reply[api.ApprovalResponse], error) {
	if in.Body.Decision == "approved" {
		return s.approveRequest(ctx, &approvalInput{in.ApprovalID})
	}
	a, err := s.intents.Deny(ctx, caller(ctx), in.ApprovalID, in.Body.Reason)
	return approvalReply(a, err)
}

func approvalReply(a intents.Approval, err error) (*reply[api.ApprovalResponse], error) {
	if err != nil {
		return nil, err
	}
	return answer(wireApproval(a))
}

func wireApproval(a intents.Approval) api.ApprovalResponse {
	out := api.ApprovalResponse{
		ID: a.ID.String(), Action: a.Action["type"], Summary: a.Action, ActionHash: hex.EncodeToString(a.Hash), Why: notNil(a.Why),
		RequesterID: a.Asked.String(), RequesterType: string(identity.KindAgent), AgentID: a.Agent.String(), Status: string(a.Status),
		Needed: a.Needed, ApprovedBy: []string{}, DecidedAt: api.At(a.DecidedAt), Reason: a.Reason,
		CreatedAt: api.At(a.CreatedAt), ExpiresAt: api.At(a.ExpiresAt),
	}
	if a.Asked != a.Agent {
		out.RequesterType = string(identity.KindUser)
	}
	if a.Simulation != nil {
		out.Expected = listOf(a.Simulation.Changes, wireExpected)
	}
	for _, v := range a.Votes {
		who := wirePrincipal(policy.Principal{Type: string(identity.KindUser), ID: v.User})
		if out.DecidedBy = ""; !a.DecidedAt.IsZero() {
			out.DecidedBy = who
		}
		if v.Agrees {
			out.ApprovedBy = append(out.ApprovedBy, who)
		}
	}
	if a.Status == intents.Used { // in the published words
		out.Status, out.TransactionID = string(intents.Approved), a.Intent.String()
	}
	return out
}

func wireExpected(c node.Change) api.ExpectedChange {
	out := api.ExpectedChange{Address: c.Address.String(), Token: "native", Change: c.Delta().String()}
	if c.Asset.Standard != evm.Native {
		out.Token = c.Asset.Token.String()
	}
	return out
}

func wirePending(a intents.Approval) api.ApprovalPendingResponse {
	return api.ApprovalPendingResponse{
		ApprovalID: a.ID.String(), Status: "pending_approval", Why: notNil(a.Why), Needed: a.Needed, ExpiresAt: api.At(a.ExpiresAt),
	}
}
