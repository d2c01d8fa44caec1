package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/vault/site"
)

// kinds are those of the mails to an address, oldest first.
func (l *live) kinds(address string) string {
	l.Helper()
	all := l.mails(address)
	out := make([]string, len(all))
	for i, m := range all {
		out[len(all)-1-i] = string(m.Kind)
	}
	return strings.Join(out, " ")
}

// Everything that people are told of by mail, in the order in which it happens.
func TestE1_EveryEventIsMailed(t *testing.T) {
	const ann, ben, out = "ann@example.net", "ben@example.net", "out@example.net"
	l := newLive(t)
	told := map[string]string{}
	does := func(what, to, kind string, fn func()) {
		t.Helper()
		fn()
		if told[to] = strings.TrimSpace(told[to] + " " + kind); l.kinds(to) != told[to] {
			t.Fatalf("%s: %s has the mails\n%s, want\n%s", what, to, l.kinds(to), told[to])
		}
	}
	ask := func(method, url, as, body string, status int) func() {
		return func() { l.want(step{method: method, url: url, as: as, body: body, status: status}) }
	}
	does("signing up", ann, "verify_email", ask(post, "/v1/auth/signup", "", credentials(ann, newPassword), 200))
	does("confirming", ann, "welcome", func() {
		l.tokens["ann"] = l.want(step{method: post, url: "/v1/auth/verify-email", body: `{"token":"` + l.mailed(ann) + `"}`, status: 200}).text("access_token")
	})
	does("signing up again", ann, "signup_again", ask(post, "/v1/auth/signup", "", credentials(ann, newPassword), 200))
	does("a new password", ann, "password_changed", ask(post, "/v1/auth/change-password", "ann", fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, newPassword, ownerPassword), 204))
	does("H5: a key", ann, "api_key_created", ask(post, "/v1/auth/api-keys", "ann", `{"name":"ci"}`, 201))
	if m := l.mails(ann)[0]; !strings.Contains(m.Body, `"ci", beginning with 1ck_`) || !strings.Contains(m.Body, "from 192.0.2.1") {
		t.Errorf("%s", m.Body)
	}
	does("a second factor", ann, "mfa_changed", func() { l.secondFactor("ann") })
	does("without it", ann, "mfa_changed", ask(remove, "/v1/auth/mfa", "ann", `{"password":"`+ownerPassword+`"}`, 204))
	does("A14: an agent", ann, "enrol", ask(post, "/v1/agents/enroll", "", `{"name":"scout","human_email":"`+ann+`"}`, 201))
	does("inviting", ben, "invite", ask(post, "/v1/org/invite", "ann", `{"email":"`+ben+`"}`, 200))
	does("accepting", ben, "welcome", func() {
		l.tokens["ben"] = l.want(step{method: post, url: "/v1/org/invitations/accept", body: fmt.Sprintf(`{"token":%q,"password":%q}`, l.mailed(ben), newPassword), status: 200}).text("access_token")
	})

	v := l.vault("ann", "v")
	secret := l.want(step{method: put, url: v + "/secrets/a", as: "ann", body: `{"value":"` + canary + `"}`, status: 201}).text("id")
	toBen := `{"recipient_type":"user","recipient_id":"` + l.idOf("ben") + `"}`
	var s string
	shares := func(body string) func() {
		return func() {
			s = l.want(step{method: post, url: "/v1/secrets/" + secret + "/share", as: "ann", body: body, status: 201}).text("id")
		}
	}
	does("sharing", ben, "share_invite", shares(toBen))
	does("accepting it", ann, "share_accepted", ask(post, "/v1/shares/"+s+"/accept", "ben", "", 204))
	does("R4: reading it", ann, "share_accessed", func() { l.want(step{url: "/v1/share/" + s, as: "ben", status: 200, reveals: true}) })
	does("taking it back", ben, "share_revoked", ask(remove, "/v1/share/"+s, "ann", "", 204))
	does("sharing again", ben, "share_invite", shares(toBen))
	does("declining", ann, "share_declined", ask(post, "/v1/shares/"+s+"/decline", "ben", "", 204))
	does("R2: an address", out, "share_invite", shares(`{"recipient_type":"external_email","email":"`+out+`"}`))
	does("leaving", out, "share_revoked", func() {
		l.want(step{method: patch, url: "/v1/org/members/" + l.idOf("ben"), as: "ann", body: `{"role":"owner"}`, status: 200})
		l.want(step{method: remove, url: "/v1/auth/me", as: "ann", body: `{"confirm":"DELETE"}`, status: 204})
	})
	l.want(step{name: "G5: it is gone", url: "/v1/share/" + s, as: "ben", status: 404})
}

// What is forgotten of a password comes by mail too.
func TestE1_PasswordsAreResetByMail(t *testing.T) {
	l := newLive(t)
	l.want(step{method: post, url: "/v1/auth/forgot-password", body: `{"email":"` + ownerEmail + `"}`, status: 200})
	l.want(step{method: post, url: "/v1/auth/reset-password", body: fmt.Sprintf(`{"token":%q,"new_password":%q}`, l.mailed(ownerEmail), newPassword), status: 200})
	if got := l.kinds(ownerEmail); got != "reset_password password_changed" {
		t.Error(got)
	}
}

// Who may sign up is what the owner of the appliance says, from the next request
// on; where they say nothing, what its configuration says.
func TestH9_SignUpFollowsTheSetting(t *testing.T) {
	for _, tt := range []struct {
		fallback site.SignupMode
		set      string // "" for none
		signup   int
		token    bool // at once
		invite   int
	}{
		{"", "", 403, false, 200},
		{site.SignupInvite, "", 403, false, 200},
		{site.SignupInvite, "open", 200, false, 200},
		{site.SignupInvite, "closed", 403, false, 403},
		{site.SignupOpen, "", 200, false, 200},
		{site.SignupOpen, "invite", 403, false, 200},
		{site.SignupClosed, "", 403, false, 403},
		{site.SignupDev, "", 200, true, 200},
		{site.SignupDev, "open", 200, false, 200},
		{site.SignupDev, "closed", 403, false, 403},
	} {
		t.Run(fmt.Sprintf("%s then %s", tt.fallback, tt.set), func(t *testing.T) {
			l := newLive(t)
			l.halt()
			l.signup = tt.fallback
			l.start()
			if tt.set != "" {
				l.want(step{method: put, url: "/v1/admin/settings/signup_mode", as: "owner", body: `{"value":"` + tt.set + `"}`, status: 200})
			}
			a := l.want(step{name: "sign up", method: post, url: "/v1/auth/signup", body: credentials("ann@example.net", newPassword), status: tt.signup})
			if got := strings.Contains(a.Body.String(), "access_token"); got != tt.token {
				t.Errorf("a token at once: %t", got)
			}
			l.want(step{name: "invite", method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"ben@example.net"}`, status: tt.invite})
		})
	}
}

// A door that is closed is closed for who was about to come in.
func TestH9_SignUpClosesAtOnce(t *testing.T) {
	l := newLive(t)
	set := func(to string) {
		l.want(step{method: put, url: "/v1/admin/settings/signup_mode", as: "owner", body: `{"value":"` + to + `"}`, status: 200})
	}
	l.want(step{method: post, url: "/v1/auth/signup", body: credentials("ann@example.net", newPassword), status: 200})
	l.want(step{method: post, url: "/v1/org/invite", as: "owner", body: `{"email":"ben@example.net"}`, status: 200})
	verify := step{name: "confirm", method: post, url: "/v1/auth/verify-email", body: `{"token":"` + l.mailed("ann@example.net") + `"}`,
		status: 403, has: []string{"signup_closed"}, event: "user.verify refused signup_closed"}
	accept := step{name: "accept", method: post, url: "/v1/org/invitations/accept", body: fmt.Sprintf(`{"token":%q,"password":%q}`, l.mailed("ben@example.net"), newPassword),
		status: 403, has: []string{"invitations_closed"}}
	set("closed")
	l.want(verify)
	l.want(accept)
	set("invite")
	l.want(verify)
	accept.status, accept.has = 200, nil
	l.want(accept)
	set("open")
	verify.status, verify.has, verify.event = 200, nil, ""
	l.want(verify)
}
