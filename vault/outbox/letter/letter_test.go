package letter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestLetters(t *testing.T) {
	approval := id.New()
	w := letter.Writer{Base: "https://vault.example.com/"}
	user, agent, share := id.New(), id.New(), id.New()
	to := letter.To{Address: "ann@example.com", Org: id.New(), User: user, At: noon}
	const token = "tok-abc_123"
	for _, c := range []struct {
		m        outbox.Message
		kind     outbox.Kind
		personal bool
		valid    time.Duration
		has      []string
	}{
		{w.Welcome(to), letter.KindWelcome, false, 0, []string{"https://vault.example.com/\n"}},
		{w.VerifyEmail(to, token, 24*time.Hour), letter.KindVerifyEmail, true, 24 * time.Hour,
			[]string{"https://vault.example.com/verify-email#token=" + token + "\n", "    " + token + "\n", "24 hours"}},
		{w.ResetPassword(to, token, time.Hour), letter.KindResetPassword, true, time.Hour,
			[]string{"https://vault.example.com/reset-password#token=" + token + "\n", "60 minutes"}},
		{w.PasswordChanged(to, noon, "192.0.2.7"), letter.KindPasswordChanged, false, 0, []string{"2 March 2026, 12:00 UTC from 192.0.2.7"}},
		{w.APIKeyCreated(to, "ci", "1ck_abcdefgh", noon, ""), letter.KindAPIKeyCreated, false, 0, []string{`"ci"`, "1ck_abcdefgh", "12:00 UTC. Whoever"}},
		{w.Invite(to, "Bob", "Acme", token, 7*24*time.Hour), letter.KindInvite, true, 7 * 24 * time.Hour,
			[]string{"Bob invites you", `"Acme"`, "/accept-invite#token=" + token + "\n", "7 days"}},
		{w.Enrol(to, "scout", agent, "ocv_key"), letter.KindEnrol, true, 0, []string{`"scout"`, agent.String(), "ocv_key"}},
		{w.ShareInvite(to, "Bob", noon.Add(time.Hour)), letter.KindShareInvite, false, time.Hour, []string{"Bob shares", "/shares\n", "13:00 UTC"}},
		{w.ShareAnswered(to, share, true, noon), letter.KindShareAccepted, false, 0, []string{share.String(), "was accepted on 2 March", "/shares\n"}},
		{w.ShareAnswered(to, share, false, noon), letter.KindShareDeclined, false, 0, []string{share.String(), "was declined on 2 March"}},
		{w.ShareRevoked(to, "Bob", noon), letter.KindShareRevoked, false, 0, []string{"Bob shared a secret with you", "taken back on\n2 March"}},
		{w.ShareAccessed(to, share, 3, noon, "192.0.2.7"), letter.KindShareAccessed, false, 0, []string{share.String(), "makes 3"}},
		{w.CreditsExpiring(to, "$12.00", noon), letter.KindCreditsExpiring, false, 0, []string{"$12.00", "/settings/billing"}},
		{w.ApprovalAsked(to, "payer", approval, []string{"above 1 ETH"}, noon), letter.KindApprovalAsked, false, 0, []string{"payer", "above 1 ETH", "/approvals/" + approval.String()}},
		{w.WebhookDisabled(to, "hooks.example.com", noon), letter.KindWebhookDisabled, false, 0, []string{"hooks.example.com"}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			m := c.m
			if m.Kind != c.kind || m.Personal != c.personal || m.To != to.Address || m.Org != to.Org || m.Channel != outbox.Mail || m.Subject == "" {
				t.Errorf("%+v", m)
			}
			if c.valid != 0 && !m.NotAfter.Equal(noon.Add(c.valid)) || c.valid == 0 && !m.NotAfter.IsZero() {
				t.Errorf("not after %v", m.NotAfter)
			}
			if (m.User == user) != (c.kind == letter.KindEnrol) {
				t.Errorf("for %v to read", m.User)
			}
			for _, has := range c.has {
				if !strings.Contains(m.Body, has) {
					t.Errorf("no %q in\n%s", has, m.Body)
				}
			}
			if strings.Contains(m.Body, "%!") || strings.Contains(m.Body, "com//") || strings.Contains(m.Subject, token) {
				t.Errorf("%s\n%s", m.Subject, m.Body)
			}
			for _, line := range strings.Split(m.Body, "\n") {
				if len(line) > 110 {
					t.Errorf("a line of %d: %s", len(line), line)
				}
			}
			db := store.Runner[outbox.Tx](storetest.Open(t))
			if err := db.Update(t.Context(), func(tx outbox.Tx) error { return outbox.Enqueue(tx, m) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// A token is never where servers and proxies write it down.
func TestTokensStayInFragments(t *testing.T) {
	w := letter.Writer{Base: "https://vault.example.com"}
	m := w.Invite(letter.To{Address: "a@example.com", At: noon}, "Bob", "Acme", "a b&c=/", time.Hour)
	if !strings.Contains(m.Body, "https://vault.example.com/accept-invite#token=a+b%26c%3D%2F\n") {
		t.Error(m.Body)
	}
}
