package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/share"
)

// accountsOf makes the accounts of a live appliance.
func (l *live) accountsOf(identities *identity.Service, shares *share.Service) *people.Service {
	l.Helper()
	return people.New(people.Config{
		DB: store.Runner[people.Tx](l.db), Identity: identities, Signup: l.signup,
		PublicURL: "https://vault.example", Claim: share.ClaimHook, Now: l.clock.Now,
		Removed: func(ctx context.Context, _, user id.ID) error { return shares.EndOf(ctx, user) },
	})
}

// mails are all that were written so far to an address, newest first.
func (l *live) mails(address string) (out []outbox.Message) {
	l.Helper()
	l.ok(store.Runner[outbox.Tx](l.db).View(l.Context(), func(tx outbox.Tx) error {
		return tx.OutboxList(id.ID{}, id.ID{}, func(m outbox.Message) bool {
			if m.To == address {
				out = append(out, m)
			}
			return true
		})
	}))
	return out
}

// mailed is the token of the newest mail to an address.
func (l *live) mailed(address string) string {
	l.Helper()
	all := l.mails(address)
	if len(all) == 0 {
		l.Fatalf("no mail to %s", address)
	}
	_, token, ok := strings.Cut(all[0].Body, "#token=")
	if !ok {
		l.Fatalf("no token in\n%s", all[0].Body)
	}
	token, _, _ = strings.Cut(token, "\n")
	return token
}

// otp is what an authenticator app shows for a secret, some steps from now.
func (l *live) otp(secret string, steps int64) string {
	l.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	l.ok(err)
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, l.clock.Now().Unix()/30+steps)
	sum := m.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

const newPassword = "Another-Good-Mule-42"

// credentials is the body of a sign-in.
func credentials(email, password string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

// signIn is the token of a right password.
func (l *live) signIn(email, password string) string {
	l.Helper()
	return l.want(step{name: "sign in", method: post, url: "/v1/auth/token", body: credentials(email, password), status: 200}).text("access_token")
}

// joins makes an account by signing up, and returns its token.
func (l *live) joins(email, password string) string {
	l.Helper()
	l.want(step{method: post, url: "/v1/auth/signup", body: credentials(email, password), status: 200})
	return l.want(step{method: post, url: "/v1/auth/verify-email", body: `{"token":"` + l.mailed(email) + `"}`, status: 200}).text("access_token")
}

// invites brings somebody into the owner's organisation, and returns their token.
func (l *live) invites(email, role string) string {
	l.Helper()
	l.want(step{method: post, url: "/v1/org/invite", as: "owner", body: fmt.Sprintf(`{"email":%q,"role":%q}`, email, role), status: 200})
	return l.want(step{method: post, url: "/v1/org/invitations/accept", body: fmt.Sprintf(`{"token":%q,"password":%q}`, l.mailed(email), newPassword), status: 200}).text("access_token")
}

// idOf is the identifier of whoever bears a token.
func (l *live) idOf(as string) string {
	l.Helper()
	return l.want(step{url: "/v1/auth/me", as: as, status: 200}).text("id")
}

// peopleLifecycle is every operation about accounts.
func peopleLifecycle(l *live) []operation {
	const ann, ben, cat = "ann@example.net", "ben@example.net", "cat@example.net"
	var secret, mfaToken, device, user, benID, catID, invitation string
	is := func(text string) func() string { return func() string { return text } }
	begin := func() {
		a := l.want(step{method: post, url: "/v1/auth/device/code", body: `{"client_id":"cli"}`, status: 200})
		device, user = a.text("device_code"), a.text("user_code")
	}
	return []operation{
		{"signup", post, is("/v1/auth/signup"), "", is(credentials(ann, newPassword)), 200, "user.signup success", nil, ""},
		{"verifyEmail", post, is("/v1/auth/verify-email"), "", func() string { return `{"token":"` + l.mailed(ann) + `"}` }, 200, "auth.success success",
			func(a answered) { l.tokens["ann"] = a.text("access_token") }, ""},
		{"updateMe", patch, is("/v1/auth/me"), "ann", is(`{"display_name":"Ann","marketing_emails":true}`), 200, "user.update success", nil, "user"},
		{"changePassword", post, is("/v1/auth/change-password"), "ann", is(fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, newPassword, ownerPassword)), 204, "password.change success", nil, "user"},
		{"mfaStatus", get, is("/v1/auth/mfa/status"), "ann", nil, 200, "none", nil, "user"},
		{"mfaSetup", post, is("/v1/auth/mfa/setup"), "ann", nil, 200, "none", func(a answered) { secret = a.text("secret") }, "user"},
		{"mfaVerifySetup", post, is("/v1/auth/mfa/verify-setup"), "ann", func() string { return `{"code":"` + l.otp(secret, 0) + `"}` }, 200, "mfa.enable success", func(answered) {
			mfaToken = l.want(step{method: post, url: "/v1/auth/token", body: credentials(ann, ownerPassword), status: 200}).text("mfa_token")
		}, "user"},
		{"mfaVerify", post, is("/v1/auth/mfa/verify"), "", func() string {
			return fmt.Sprintf(`{"mfa_token":%q,"code":%q}`, mfaToken, l.otp(secret, 1))
		}, 200, "auth.success success", nil, ""},
		{"mfaDisable", remove, is("/v1/auth/mfa"), "ann", is(`{"password":"` + ownerPassword + `"}`), 204, "mfa.disable success", nil, "user"},

		{"deviceCode", post, is("/v1/auth/device/code"), "", is(`{"client_id":"cli"}`), 200, "none", func(a answered) {
			device, user = a.text("device_code"), a.text("user_code")
		}, ""},
		{"deviceCodeStatus", get, func() string { return "/v1/auth/device/code/" + user }, "", nil, 200, "none", nil, ""},
		{"deviceApprove", post, is("/v1/auth/device/approve"), "ann", func() string { return `{"user_code":"` + user + `"}` }, 200, "device.approve success", nil, "user"},
		{"deviceToken", post, is("/v1/auth/device/token"), "", func() string { return `{"device_code":"` + device + `","grant_type":"` + deviceGrant + `"}` }, 200, "auth.success success", func(answered) { begin() }, ""},
		{"deviceDeny", post, is("/v1/auth/device/deny"), "ann", func() string { return `{"user_code":"` + user + `"}` }, 200, "device.deny success", nil, "user"},

		{"inviteMember", post, is("/v1/org/invite"), "owner", is(`{"email":"` + ben + `"}`), 200, "member.invite success", nil, "user"},
		{"listInvitations", get, is("/v1/org/invitations"), "owner", nil, 200, "none", nil, "user"},
		{"acceptInvitation", post, is("/v1/org/invitations/accept"), "", func() string { return fmt.Sprintf(`{"token":%q,"password":%q}`, l.mailed(ben), newPassword) }, 200, "auth.success success", func(a answered) {
			l.tokens["ben"] = a.text("access_token")
			benID = l.idOf("ben")
			l.want(step{method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"` + cat + `"}`, status: 200})
			invitation = l.want(step{url: "/v1/org/invitations", as: "owner", status: 200}).text("invitations.0.id")
		}, ""},
		{"revokeInvitation", remove, func() string { return "/v1/org/invitations/" + invitation }, "owner", nil, 204, "member.remove success", nil, "user"},
		{"listOrgMembers", get, is("/v1/org/members"), "ben", nil, 200, "none", nil, "user"},
		{"updateMemberRole", patch, func() string { return "/v1/org/members/" + benID }, "owner", is(`{"role":"admin"}`), 200, "member.update success", nil, "user"},
		{"removeMember", remove, func() string { return "/v1/org/members/" + benID }, "owner", nil, 204, "member.remove success", func(answered) {
			l.tokens["cat"] = l.joins(cat, newPassword)
			catID = l.idOf("cat")
		}, "user"},
		{"adminListUsers", get, is("/v1/admin/users"), "owner", nil, 200, "none", nil, "user"},
		{"adminDeleteUser", remove, func() string { return "/v1/admin/users/" + catID }, "owner", nil, 204, "user.delete success", func(answered) { l.agent("keyed", "") }, "user"},
		{"getAgentKeysVault", get, is("/v1/org/agent-keys-vault"), "owner", nil, 200, "none", nil, "user"},

		{"forgotPassword", post, is("/v1/auth/forgot-password"), "", is(`{"email":"` + ann + `"}`), 200, "password.forgot success", nil, ""},
		{"resetPassword", post, is("/v1/auth/reset-password"), "", func() string { return fmt.Sprintf(`{"token":%q,"new_password":%q}`, l.mailed(ann), newPassword) }, 200, "password.reset success", func(answered) {
			l.tokens["ann"] = l.signIn(ann, newPassword)
		}, ""},
		{"deleteMe", remove, is("/v1/auth/me"), "ann", is(`{"confirm":"` + ann + `"}`), 204, "user.delete success", nil, "user"},
	}
}

// learnOrgs adds the organisations that people made since to those whose events
// are looked at.
func (l *live) learnOrgs() {
	if l.orgs == nil {
		return // nothing is to be looked through
	}
	_ = store.Runner[people.Tx](l.db).View(context.Background(), func(tx people.Tx) error { // it may be sealed
		all, err := tx.Users(id.ID{})
		for _, u := range all {
			if !slices.Contains(l.orgs, u.Org) {
				l.orgs = append(l.orgs, u.Org)
			}
		}
		return err
	})
}

// secondFactor gives somebody one, and returns its secret. The code of now is
// used up.
func (l *live) secondFactor(as string) string {
	l.Helper()
	secret := l.want(step{method: post, url: "/v1/auth/mfa/setup", as: as, status: 200, keys: "otpauth_uri secret"}).text("secret")
	l.want(step{method: post, url: "/v1/auth/mfa/verify-setup", as: as, body: `{"code":"` + l.otp(secret, 0) + `"}`, status: 200, keys: "recovery_codes"})
	return secret
}
