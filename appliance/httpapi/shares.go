package httpapi

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

// shareRoutes has several names for some things: clients of different times
// use each of them.
func (s *Server) shareRoutes() []route {
	const (
		tag = "Sharing"
		one = "/v1/shares/{share_id}"
		url = "/v1/share/{share_id}" // what share_url leads to
	)
	return []route{
		handle(post, "/v1/secrets/{secret_id}/share", "createShare", s.createShare, status(201), doc(tag, "Offer a secret to somebody")),
		handle(post, "/v1/shares", "createShareOf", s.createShareOf, status(201), doc(tag, "The same, with the secret in the body")),
		handle(get, url, "accessShare", s.accessShare, optional, doc(tag, "Read what is shared")),
		handle(post, one+"/access", "accessShareWithPassphrase", s.accessShareWith, optional, doc(tag, "The same, with the passphrase in the body")),
		handle(get, one, "getShare", s.getShare, doc(tag, "Look at a share without its secret")),
		handle(remove, url, "revokeShare", s.revokeShare, doc(tag, "Take a share back")),
		handle(remove, one, "revokeShareById", s.revokeShare, doc(tag, "The same")),
		handle(get, "/v1/shares/outbound", "listOutboundShares", s.outboundShares, doc(tag, "List what the caller shares")),
		handle(get, "/v1/shares/inbound", "listInboundShares", s.inboundShares, doc(tag, "List what is shared with the caller")),
		handle(get, "/v1/shares", "listShares", s.listShares, doc(tag, "One of these lists")),
		handle(post, one+"/accept", "acceptShare", s.acceptShare, doc(tag, "Accept what is offered to the caller")),
		handle(post, one+"/decline", "declineShare", s.declineShare, doc(tag, "Turn it down, for good")),
	}
}

type createShareInput struct {
	SecretID id.ID `path:"secret_id" format:"uuid"`
	Body     api.CreateShareRequest
}

func (s *Server) createShare(ctx context.Context, in *createShareInput) (*reply[api.ShareResponse], error) {
	return s.share(ctx, share.Offer{Secret: in.SecretID}, &in.Body)
}

type createShareOfInput struct{ Body api.CreateShareOfRequest }

// createShareOf takes a secret by its id or by its path. The clients that name
// a path may leave out whom it is for: anyone with the link, then.
func (s *Server) createShareOf(ctx context.Context, in *createShareOfInput) (*reply[api.ShareResponse], error) {
	var (
		o     share.Offer
		b     = in.Body
		offer = b.Offer()
		err   error
	)
	switch {
	case b.SecretID != "":
		if o.Secret, err = id.Parse(b.SecretID); err != nil {
			return nil, invalidField("secret_id", "is not a UUID")
		}
		return s.share(ctx, o, &offer)
	case b.VaultID == "" || b.SecretPath == "":
		return nil, invalidField("secret_id", "is required, or vault_id and secret_path")
	}
	if o.Vault, err = id.Parse(b.VaultID); err != nil {
		return nil, invalidField("vault_id", "is not a UUID")
	}
	if o.Path, err = vault.ParseSecretPath(b.SecretPath); err != nil {
		return nil, err
	}
	if offer.RecipientType == "" && offer.RecipientID == "" {
		offer.RecipientType = string(share.ToAnyone)
		if offer.Address() != "" {
			offer.RecipientType = string(share.ToEmail)
		}
	}
	return s.share(ctx, o, &offer)
}

// share completes an offer of a secret by what both ways to ask have in common.
func (s *Server) share(ctx context.Context, o share.Offer, b *api.CreateShareRequest) (*reply[api.ShareResponse], error) {
	if err := completeOffer(&o, b, s.shares.Now()); err != nil {
		return nil, err
	}
	if o.Passphrase != nil {
		defer o.Passphrase.Wipe()
	}
	sh, err := s.shares.Create(ctx, caller(ctx), o)
	if err != nil {
		return nil, err
	}
	return answer(api.ShareResponse{
		ID: sh.ID.String(), ShareURL: s.shareURL(sh), RecipientType: string(sh.Type), RecipientEmail: sh.Email,
		ExpiresAt: api.At(sh.ExpiresAt), MaxAccessCount: wireLimit(sh.MaxAccess),
	})
}

func completeOffer(o *share.Offer, b *api.CreateShareRequest, now time.Time) (err error) {
	if b.RecipientType == "" {
		return invalidField("recipient_type", reasonMissing)
	}
	o.Type, o.Email, o.MaxAccess = share.Type(b.RecipientType), b.Address(), b.MaxAccess()
	if o.Type == share.ToEmail && o.Email == "" {
		return invalidField("email", "is required when sharing with an external_email")
	}
	if b.RecipientID != "" {
		if o.Recipient, err = id.Parse(b.RecipientID); err != nil {
			return invalidField("recipient_id", "is not a UUID")
		}
	}
	for _, p := range b.Permissions {
		if p != string(policy.Read) {
			return invalidField("permissions", "may only have read: a share gives nothing else")
		}
	}
	if o.ExpiresAt, err = shareExpiry(b, now); err != nil {
		return err
	}
	if b.Passphrase != nil {
		p := plain.FromString(*b.Passphrase)
		o.Passphrase = &p
	}
	if b.IPAllowlist != nil {
		o.Conditions, err = allowlist(b.IPAllowlist)
	}
	return err
}

// maxShareHours keeps expires_in_hours from overflowing: a hundred years.
const maxShareHours = 100 * 365 * 24

func shareExpiry(b *api.CreateShareRequest, now time.Time) (*time.Time, error) {
	if t := b.ExpiresAt.Ptr(); t != nil || b.ExpiresInHours == nil {
		return t, nil
	}
	hours := *b.ExpiresInHours
	if hours < 1 || hours > maxShareHours {
		return nil, invalidField("expires_in_hours", "must be 1 to 876000")
	}
	t := now.Add(time.Duration(hours) * time.Hour)
	return &t, nil
}

// allowlist reads addresses as the condition of policies that has the same
// name.
func allowlist(entries []string) (policy.Conditions, error) {
	raw, err := json.Marshal(map[string][]string{"ip_allowlist": entries})
	if err != nil {
		return policy.Conditions{}, err
	}
	c, err := policy.ParseConditions(raw)
	if f := fault.As(err); f != nil {
		for _, why := range f.Fields {
			return c, invalidField("ip_allowlist", why)
		}
	}
	return c, err
}

type accessShareInput struct {
	ShareID    id.ID  `path:"share_id" format:"uuid"`
	Passphrase string `header:"X-Share-Passphrase" doc:"If the share has one"`
}

func (s *Server) accessShare(ctx context.Context, in *accessShareInput) (*reply[api.SharedSecretResponse], error) {
	return s.open(ctx, in.ShareID, in.Passphrase)
}

type accessShareWithInput struct {
	ShareID    id.ID  `path:"share_id" format:"uuid"`
	Passphrase string `header:"X-Share-Passphrase"`
	Body       *api.AccessShareRequest
}

func (s *Server) accessShareWith(ctx context.Context, in *accessShareWithInput) (*reply[api.SharedSecretResponse], error) {
	passphrase := in.Passphrase
	if in.Body != nil && in.Body.Passphrase != "" {
		passphrase = in.Body.Passphrase
	}
	return s.open(ctx, in.ShareID, passphrase)
}

func (s *Server) open(ctx context.Context, shareID id.ID, passphrase string) (*reply[api.SharedSecretResponse], error) {
	p := caller(ctx)
	if from := peer(ctx); p.Kind == "" {
		p = identity.Principal{IP: from.IP, RequestID: from.Request}
	}
	secret := plain.FromString(passphrase)
	defer secret.Wipe()
	got, err := s.shares.Access(ctx, p, shareID, secret)
	if err != nil {
		return nil, err
	}
	defer got.Value.Wipe()
	return answer(api.SharedSecretResponse{
		ID: got.Share.ID.String(), Path: got.Share.Path.String(), Type: string(got.Secret.Latest.Type),
		Value: string(got.Value.Reveal()), AccessCount: wireCount(got.Share.Accesses), MaxAccessCount: wireLimit(got.Share.MaxAccess),
	})
}

type shareInput struct {
	ShareID id.ID `path:"share_id" format:"uuid"`
}

func (s *Server) getShare(ctx context.Context, in *shareInput) (*reply[api.ShareListItem], error) {
	sh, err := s.shares.Look(ctx, caller(ctx), in.ShareID)
	if err != nil {
		return nil, err
	}
	return answer(s.wireShare(ctx, sh))
}

func (s *Server) revokeShare(ctx context.Context, in *shareInput) (*none, error) {
	return nil, s.shares.Revoke(ctx, caller(ctx), in.ShareID)
}

func (s *Server) acceptShare(ctx context.Context, in *shareInput) (*none, error) {
	return nil, s.shares.Accept(ctx, caller(ctx), in.ShareID)
}

func (s *Server) declineShare(ctx context.Context, in *shareInput) (*none, error) {
	return nil, s.shares.Decline(ctx, caller(ctx), in.ShareID)
}

func (s *Server) outboundShares(ctx context.Context, _ *none) (*reply[api.ShareListResponse], error) {
	return s.answerShares(ctx, s.shares.Outbound)
}

func (s *Server) inboundShares(ctx context.Context, _ *none) (*reply[api.ShareListResponse], error) {
	return s.answerShares(ctx, s.shares.Inbound)
}

type listSharesInput struct {
	Direction string `query:"direction" enum:"outbound,inbound" doc:"outbound when left out"`
}

func (s *Server) listShares(ctx context.Context, in *listSharesInput) (*reply[api.ShareListResponse], error) {
	if in.Direction == "inbound" {
		return s.answerShares(ctx, s.shares.Inbound)
	}
	return s.answerShares(ctx, s.shares.Outbound)
}

func (s *Server) answerShares(ctx context.Context, list func(context.Context, identity.Principal) ([]share.Share, error)) (*reply[api.ShareListResponse], error) {
	all, err := list(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.ShareListResponse{
		Shares: listOf(all, func(sh share.Share) api.ShareListItem { return s.wireShare(ctx, sh) }),
	})
}

func (s *Server) shareURL(sh share.Share) string { return s.base + "/v1/share/" + sh.ID.String() }

// recipientShown are the types whose recipient_id the creator named or may
// know. Whose an address is, is not for whoever can write one to find out.
var recipientShown = []share.Type{share.ToUser, share.ToAgent, share.ToCreator}

func (s *Server) wireShare(ctx context.Context, sh share.Share) api.ShareListItem {
	now := s.shares.Now()
	status := sh.Status(now)
	out := api.ShareListItem{
		ID: sh.ID.String(), ShareURL: s.shareURL(sh), SecretID: sh.Secret.String(), SecretPath: sh.Path.String(),
		RecipientType: string(sh.Type), Status: string(status),
		AccessCount: wireCount(sh.Accesses), MaxAccessCount: wireLimit(sh.MaxAccess),
		ExpiresAt: api.At(sh.ExpiresAt), CreatedAt: api.At(sh.CreatedAt),
		IsExpired: !now.Before(sh.ExpiresAt), IsAccepted: sh.AcceptedAt != nil && sh.DeclinedAt == nil,
	}
	if slices.Contains(recipientShown, sh.Type) {
		out.RecipientID = sh.Recipient.ID.String()
	}
	if sh.MadeBy(caller(ctx)) {
		out.RecipientEmail = sh.Email
	}
	return out
}

// wireCount keeps a count within what clients read: 32 bits with a sign.
func wireCount(n uint32) int32 { return int32(min(n, 1<<31-1)) }

func wireLimit(n uint32) *int32 {
	if n == 0 {
		return nil
	}
	limit := wireCount(n)
	return &limit
}
