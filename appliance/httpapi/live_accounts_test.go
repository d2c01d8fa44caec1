package httpapi

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sameAnswers fails if two requests, of which one names somebody who is there,
// can be told apart by their answers.
func (l *live) sameAnswers(there, nobody step) {
	l.Helper()
	a, b := l.send(there), l.send(nobody)
	mask := func(a answered, s step) string {
		h := a.Header().Clone()
		for _, own := range []string{"X-Request-Id", "X-Audit-Event", "X-Audit-Leaf", "X-Audit-Index"} {
			if h.Get(own) != "" {
				h.Set(own, "there")
			}
		}
		var all strings.Builder
		_ = h.Write(&all)
		return fmt.Sprint(a.Code, all.String(), strings.ReplaceAll(a.Body.String(), s.name, "WHO"))
	}
	if x, y := mask(a, there), mask(b, nobody); x != y {
		l.Errorf("%s answers\n%s\nfor one who is there, else\n%s", there.url, x, y)
	}
}

func TestH9TheAnswersTellNothing(t *testing.T) {
	l := newLive(t)
	nobody := "nobody@example.com"
	for _, c := range []struct{ url, body string }{
		{"/v1/auth/signup", `{"email":%q,"password":"` + newPassword + `"}`},
		{"/v1/auth/forgot-password", `{"email":%q}`},
		{"/v1/auth/token", `{"email":%q,"password":"` + canary + `"}`},
	} {
		of := func(email string) step {
			return step{name: email, method: post, url: c.url, body: fmt.Sprintf(c.body, email)}
		}
		l.sameAnswers(of(ownerEmail), of(nobody))
	}
	l.want(step{name: "signup", method: post, url: "/v1/auth/signup", body: credentials(nobody, newPassword), status: 200, keys: "message email"})
	l.want(step{name: "forgot", method: post, url: "/v1/auth/forgot-password", body: `{"email":"x"}`, status: 200, keys: "message status", has: []string{`"status":"email_sent"`}})
	for range 5 {
		for _, email := range []string{ownerEmail, nobody} {
			l.send(step{method: post, url: "/v1/auth/token", body: credentials(email, canary)})
		}
	}
	for _, email := range []string{ownerEmail, nobody} {
		a := l.want(step{name: "H16 " + email, method: post, url: "/v1/auth/token", body: credentials(email, ownerPassword), status: 429,
			has: []string{"too_many_attempts"}, event: "auth.failure refused too_many_attempts"})
		if wait, err := strconv.Atoi(a.Header().Get("Retry-After")); err != nil || wait < 1 || wait > 900 {
			t.Errorf("T8: Retry-After %q", a.Header().Get("Retry-After"))
		}
	}
	l.clock.advance(15 * time.Minute)
	l.signIn(ownerEmail, ownerPassword)
}

func TestH11H13OwnAccount(t *testing.T) {
	l := newLive(t)
	l.tokens["ann"] = l.joins("ann@example.net", newPassword)
	l.run(t, []step{
		{name: "a wrong password", method: post, url: "/v1/auth/change-password", as: "ann", body: fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, canary, ownerPassword), status: 400, has: []string{"wrong_password"}},
		{name: "a weak one", method: post, url: "/v1/auth/change-password", as: "ann", body: fmt.Sprintf(`{"current_password":%q,"new_password":"abc"}`, newPassword), status: 400, has: []string{"weak_password"}},
		{name: "a good one", method: post, url: "/v1/auth/change-password", as: "ann", body: fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, newPassword, ownerPassword), status: 204},
		{name: "the profile", method: patch, url: "/v1/auth/me", as: "ann", body: `{"display_name":"Ann"}`, status: 200, has: []string{`"display_name":"Ann"`, `"totp_enabled":false`}},
		{name: "not confirmed", method: remove, url: "/v1/auth/me", as: "ann", body: `{"confirmation":"yes"}`, status: 400, has: []string{"not_confirmed"}},
		{name: "nothing at all", method: remove, url: "/v1/auth/me", as: "ann", body: `{}`, status: 400},
		{name: "confirmed", method: remove, url: "/v1/auth/me", as: "ann", body: `{"confirmation":"DELETE"}`, status: 204},
		{name: "gone", url: "/v1/auth/me", as: "ann", status: 401},
		{name: "the last owner", method: remove, url: "/v1/auth/me", as: "owner", body: `{"confirm":"` + ownerEmail + `"}`, status: 409, has: []string{"last_owner"}},
	})
}

func TestH14OnTheWire(t *testing.T) {
	l := newLive(t)
	secret := l.secondFactor("owner")
	l.want(step{name: "status", url: "/v1/auth/mfa/status", as: "owner", status: 200, has: []string{`{"enabled":true}`}})
	l.want(step{name: "profile", url: "/v1/auth/me", as: "owner", status: 200, has: []string{`"totp_enabled":true`}})
	a := l.want(step{name: "login", method: post, url: "/v1/auth/token", body: credentials(ownerEmail, ownerPassword), status: 200,
		keys: "access_token token_type expires_in mfa_required mfa_token", has: []string{`"access_token":""`, `"mfa_required":true`, `"expires_in":300`, `"token_type":"Bearer"`}})
	half := a.text("mfa_token")
	verify := func(name, token, code string, status int) step {
		return step{name: name, method: post, url: "/v1/auth/mfa/verify", body: fmt.Sprintf(`{"mfa_token":%q,"code":%q}`, token, code), status: status}
	}
	for _, url := range []string{"/v1/auth/me", "/v1/vaults", "/v1/auth/api-keys", "/v1/auth/mfa/status"} {
		l.want(step{name: "useless for " + url, url: url, as: half, status: 401, event: "auth.failure refused invalid_token"})
	}
	l.want(step{name: "useless for approving", method: post, url: "/v1/auth/device/approve", as: half, body: `{"user_code":"BCDF-GHJK"}`, status: 401})
	l.want(verify("a wrong code", half, "000000", 401))
	l.want(verify("a whole token", l.tokens["owner"], l.otp(secret, 1), 401))
	code := l.otp(secret, 1)
	good := verify("a right code", half, code, 200)
	good.keys = "access_token token_type expires_in"
	l.tokens["in"] = l.want(good).text("access_token")
	l.want(step{name: "in", url: "/v1/auth/me", as: "in", status: 200})
	l.want(verify("again", half, code, 401))
	l.want(step{name: "keys need none", url: "/v1/auth/me", as: "key", status: 200})
	l.want(step{name: "off without anything", method: remove, url: "/v1/auth/mfa", as: "in", body: `{}`, status: 400})
	l.want(step{name: "off", method: remove, url: "/v1/auth/mfa", as: "in", body: `{"password":"` + ownerPassword + `"}`, status: 204})
	l.signIn(ownerEmail, ownerPassword)
}

func TestH15OnTheWire(t *testing.T) {
	l := newLive(t)
	a := l.want(step{method: post, url: "/v1/auth/device/code", body: `{"client_id":"cli"}`, status: 200,
		keys: "device_code user_code verification_uri expires_in interval", has: []string{`"verification_uri":"https://vault.example/cli/verify"`, `"expires_in":600`, `"interval":5`}})
	device, user := a.text("device_code"), a.text("user_code")
	token := func(name, grant, code, want string) step {
		return step{name: name, method: post, url: "/v1/auth/device/token", body: fmt.Sprintf(`{"device_code":%q,"grant_type":%q}`, code, grant), status: 200, keys: "error", has: []string{want}}
	}
	l.run(t, []step{
		token("pending", deviceGrant, device, "authorization_pending"),
		token("too soon", deviceGrant, device, "slow_down"),
		token("unknown", deviceGrant, canary[:4], "expired_token"),
		token("another grant", "password", device, "unsupported_grant_type"),
		{name: "its status", url: "/v1/auth/device/code/" + user, status: 200, has: []string{`"status":"pending"`, `"client_id":"cli"`}},
		{name: "no such code", url: "/v1/auth/device/code/BCDF-GHJK", status: 404},
		{name: "a stranger to the code", method: post, url: "/v1/auth/device/approve", body: `{"user_code":"` + user + `"}`, status: 401},
		{name: "approve", method: post, url: "/v1/auth/device/approve", as: "member", body: `{"user_code":"` + user + `"}`, status: 200, keys: "status user_code"},
		{name: "too late to deny", method: post, url: "/v1/auth/device/deny", as: "member", body: `{"user_code":"` + user + `"}`, status: 409},
	})
	l.clock.advance(5 * time.Second)
	got := token("approved", deviceGrant, device, `"expires_in":86400`)
	got.keys = "access_token token_type expires_in email user_id org_id"
	l.tokens["device"] = l.want(got).text("access_token")
	l.want(step{url: "/v1/auth/me", as: "device", status: 200, has: []string{"member@example.org"}})
	l.want(token("once", deviceGrant, device, "expired_token"))
}

func TestG1G5OnTheWire(t *testing.T) {
	l := newLive(t)
	l.tokens["admin"] = l.invites("admin@example.net", "admin")
	l.tokens["plain"] = l.invites("plain@example.net", "")
	adminID, plainID := l.idOf("admin"), l.idOf("plain")
	l.want(step{method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"taken@example.net"}`, status: 200, keys: "message email"})
	taken := l.mailed("taken@example.net")
	l.run(t, []step{
		{name: "members", url: "/v1/org/members", as: "plain", status: 200, at: "members.0", keys: "id email display_name role auth_method created_at"},
		{name: "members do not invite", method: post, url: "/v1/org/invite", as: "plain", body: `{"email":"x@example.net"}`, status: 403, event: "member.invite refused access_denied"},
		{name: "admins make no owners", method: patch, url: "/v1/org/members/" + plainID, as: "admin", body: `{"role":"owner"}`, status: 403},
		{name: "nor touch them", method: remove, url: "/v1/org/members/" + l.ownerID.String(), as: "admin", status: 403},
		{name: "a role that is none", method: patch, url: "/v1/org/members/" + plainID, as: "admin", body: `{"role":"king"}`, status: 400, has: []string{"invalid_role"}},
		{name: "the last owner", method: patch, url: "/v1/org/members/" + l.ownerID.String(), as: "owner", body: `{"role":"member"}`, status: 409},
		{name: "of another organisation", method: remove, url: "/v1/org/members/" + plainID, as: "stranger", status: 404},
		{name: "signed in already", method: post, url: "/v1/org/invitations/accept", as: "stranger", body: `{"token":"` + taken + `"}`, status: 409, has: []string{"account_elsewhere"}},
		{name: "all accounts", url: "/v1/admin/users", as: "admin", status: 200, at: "users.0",
			keys: "id email display_name role auth_method org_id org_name billing_tier created_at is_sponsored current_month_requests"},
		{name: "not for members", url: "/v1/admin/users", as: "plain", status: 403, event: "user.read refused access_denied"},
		{name: "nor other owners", url: "/v1/admin/users", as: "stranger", status: 403},
		{name: "not oneself", method: remove, url: "/v1/admin/users/" + l.ownerID.String(), as: "owner", status: 400},
		{name: "remove", method: remove, url: "/v1/org/members/" + plainID, as: "admin", status: 204},
		{name: "gone", url: "/v1/auth/me", as: "plain", status: 401},
		{name: "delete", method: remove, url: "/v1/admin/users/" + adminID, as: "owner", status: 204},
		{name: "no keys yet", url: "/v1/org/agent-keys-vault", as: "owner", status: 404},
	})
	l.agent("bot", "")
	l.want(step{name: "keys", url: "/v1/org/agent-keys-vault", as: "owner", status: 200, keys: "vault_id"})
}
