package e2e

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// story is what the appliance is for, from the first mail to the last refusal.
type story struct {
	*mailbox
	t     *testing.T
	owner *client

	ann, agent     *client
	annID, agentID string
	vault          string
	share          string
}

const (
	annAddress  = "ann@example.com"
	annPassword = "Correct-Horse-9-Battery"
)

// TestStory has a colleague invited, who enrols an agent and grants it a path;
// the agent shares what it found with her; she has the customer's key of her
// vault replaced; and all of it is taken back, after which nobody reads.
func TestStory(t *testing.T) {
	s := &story{mailbox: newMailbox(t), t: t}
	s.start()
	s.owner = s.human()
	s.inviteAnn()
	s.enrolAgent()
	s.shareFound()
	s.rotateCustomerKey()
	s.takeBack()
	s.auditTells()
}

// mailed waits for the mail with a subject, and is its text.
func (s *story) mailed(address, subject string) (text string) {
	s.t.Helper()
	eventually(s.t, patience, "mailed: "+subject, func() bool {
		for _, m := range s.pit.Mails() {
			if m.To[0].Address == address && strings.HasPrefix(m.Subject, subject) {
				text = m.Text
			}
		}
		return text != ""
	})
	return text
}

// after is the word that follows another in a text.
func after(t *testing.T, text, mark string) string {
	t.Helper()
	_, rest, _ := strings.Cut(text, mark)
	words := strings.Fields(rest)
	if len(words) == 0 {
		t.Fatalf("no %q in\n%s", mark, text)
	}
	return words[0]
}

func (s *story) inviteAnn() {
	s.owner.do("POST", "/v1/org/invite", api.InviteMemberRequest{Email: annAddress, Role: "member"}).is(s.t, 200)
	token := after(s.t, s.mailed(annAddress, "You are invited"), "/accept-invite#token=")
	accept := api.AcceptInvitationRequest{Token: token, Password: annPassword, DisplayName: "Ann"}
	first := into[api.TokenResponse](s.t, s.as("").do("POST", "/v1/org/invitations/accept", accept).is(s.t, 200))
	if me := into[api.UserProfileResponse](s.t, s.as(first.AccessToken).do("GET", "/v1/auth/me", nil).is(s.t, 200)); me.Role != "member" || me.Email != annAddress {
		s.t.Errorf("%+v", me)
	}
	if again := s.as("").do("POST", "/v1/org/invitations/accept", accept); again.status < 400 {
		s.t.Errorf("a link works twice: %v", again)
	}
	login := into[api.LoginResponse](s.t, s.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: annAddress, Password: annPassword}).is(s.t, 200))
	s.ann = s.as(login.AccessToken)
	s.annID = into[api.UserProfileResponse](s.t, s.ann.do("GET", "/v1/auth/me", nil).is(s.t, 200)).ID
}

func (s *story) enrolAgent() {
	s.as("").do("POST", "/v1/agents/enroll", map[string]string{"name": "scout", "human_email": annAddress}).is(s.t, 201)
	letter := s.mailed(annAddress, "An agent asks to work for you")
	s.agentID = after(s.t, letter, "agent id")
	key := after(s.t, letter, "api key")

	s.vault = s.ann.vault(s.t, "research")
	s.ann.put(s.vault, "granted/token", "read by the agent").is(s.t, 201)
	s.ann.put(s.vault, "hers/diary", "nobody's business").is(s.t, 201)
	s.as(s.token(key)).get(s.vault, "granted/token").problem(s.t, 403) // before she says so
	s.ann.policy(s.vault, s.agentID, "granted/**", "read", "write").is(s.t, 201)

	s.agent = s.as(s.token(key))
	if got := s.agent.value(s.t, s.vault, "granted/token"); got != "read by the agent" {
		s.t.Errorf("%q", got)
	}
	s.agent.get(s.vault, "hers/diary").problem(s.t, 403)
	s.owner.get(s.vault, "granted/token").problem(s.t, 403) // who owns the organisation does not read its members' vaults
}

func (s *story) token(key string) string { return s.as("").token(s.t, key) }

// shareFound has the agent store a key that it came across and offer it to
// whoever it works for.
func (s *story) shareFound() {
	found := into[api.SecretMetadataResponse](s.t, s.agent.put(s.vault, "granted/found/key", "found in a log").is(s.t, 201))
	offer := api.CreateShareRequest{RecipientType: "creator", ExpiresAt: api.At(time.Now().Add(time.Hour))}
	s.share = into[api.ShareResponse](s.t, s.agent.do("POST", "/v1/secrets/"+found.ID+"/share", offer).is(s.t, 201)).ID

	read := func() answer { return s.ann.do("GET", "/v1/share/"+s.share, nil) }
	read().problem(s.t, 403) // she has not accepted yet
	inbound := into[api.ShareListResponse](s.t, s.ann.do("GET", "/v1/shares/inbound", nil).is(s.t, 200))
	if len(inbound.Shares) != 1 || inbound.Shares[0].ID != s.share || inbound.Shares[0].IsAccepted {
		s.t.Errorf("%+v", inbound)
	}
	s.ann.do("POST", "/v1/shares/"+s.share+"/accept", nil).is(s.t, 204)
	if got := into[api.SharedSecretResponse](s.t, read().is(s.t, 200)); got.Value != "found in a log" || got.Path != "granted/found/key" {
		s.t.Errorf("%+v", got)
	}
	s.as("").do("GET", "/v1/share/"+s.share, nil).problem(s.t, 403)
	s.owner.do("GET", "/v1/share/"+s.share, nil).problem(s.t, 403)
}

// rotateCustomerKey encrypts with a key that the appliance never keeps, and has
// the appliance put another in its place.
func (s *story) rotateCustomerKey() {
	oldKey, oldPrint := customerKey(s.t)
	newKey, newPrint := customerKey(s.t)
	s.ann.do("POST", "/v1/vaults/"+s.vault+"/cmek", api.EnableCmekRequest{Fingerprint: oldPrint}).is(s.t, 200)
	s.ann.put(s.vault, "granted/sealed", customerBlob(s.t, oldKey, "only with the customer's key")).is(s.t, 201)
	if got := customerOpen(s.t, oldKey, s.agent.value(s.t, s.vault, "granted/sealed")); got != "only with the customer's key" {
		s.t.Errorf("%q", got)
	}
	b64 := base64.StdEncoding
	keys := http.Header{"X-Cmek-Old-Key": {b64.EncodeToString(oldKey)}, "X-Cmek-New-Key": {b64.EncodeToString(newKey)}}
	started := s.ann.doWith("POST", "/v1/vaults/"+s.vault+"/cmek-rotate", api.CmekRotateRequest{NewFingerprint: newPrint}, keys).is(s.t, 202)
	job := into[api.CmekRotationJobResponse](s.t, started)
	eventually(s.t, patience, "rotated", func() bool {
		at := s.ann.do("GET", "/v1/vaults/"+s.vault+"/cmek-rotate/"+job.ID, nil).is(s.t, 200)
		job = into[api.CmekRotationJobResponse](s.t, at)
		return job.Status != "running" && job.Status != "pending"
	})
	if job.Status != "completed" || job.Processed != job.TotalSecrets {
		s.t.Fatalf("%+v", job)
	}
	if got := customerOpen(s.t, newKey, s.agent.value(s.t, s.vault, "granted/sealed")); got != "only with the customer's key" {
		s.t.Errorf("%q", got)
	}
	for name, key := range map[string][]byte{"old": oldKey, "new": newKey} {
		if strings.Contains(s.log(), b64.EncodeToString(key)) {
			s.t.Errorf("the log has the %s key", name)
		}
	}
}

// takeBack ends one thing after another, and each time somebody cannot read any
// more who could a moment ago.
func (s *story) takeBack() {
	s.ann.do("GET", "/v1/share/"+s.share, nil).is(s.t, 200)
	s.agent.do("DELETE", "/v1/share/"+s.share, nil).is(s.t, 204)
	s.ann.do("GET", "/v1/share/"+s.share, nil).problem(s.t, 404)

	s.agent.get(s.vault, "granted/token").is(s.t, 200)
	policies := into[api.PolicyListResponse](s.t, s.ann.do("GET", "/v1/vaults/"+s.vault+"/policies", nil).is(s.t, 200)).Policies
	for _, p := range policies {
		s.ann.do("DELETE", "/v1/vaults/"+s.vault+"/policies/"+p.ID, nil).is(s.t, 204)
	}
	s.agent.get(s.vault, "granted/token").problem(s.t, 403)

	s.agent.do("GET", "/v1/agents/me", nil).is(s.t, 200)
	s.ann.do("DELETE", "/v1/agents/"+s.agentID, nil).is(s.t, 204)
	s.agent.get(s.vault, "granted/token").problem(s.t, 401)

	s.ann.get(s.vault, "granted/token").is(s.t, 200)
	s.owner.do("DELETE", "/v1/org/members/"+s.annID, nil).is(s.t, 204)
	s.ann.get(s.vault, "granted/token").problem(s.t, 401)
	s.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: annAddress, Password: annPassword}).problem(s.t, 401)
}

// auditTells expects the log to be whole and to have the steps in their order.
func (s *story) auditTells() {
	s.owner.verifyAudit(s.t)
	events := s.owner.events(s.t, "limit=1000")
	slices.Reverse(events)
	var told []string
	for _, e := range events {
		told = append(told, e.Action+" "+e.Outcome)
	}
	next := 0
	for _, step := range storySteps {
		at := slices.Index(told[next:], step)
		if at < 0 {
			s.t.Fatalf("no %q after the first %d of\n%s", step, next, strings.Join(told, "\n"))
		}
		next += at + 1
	}
	for _, value := range []string{"found in a log", "read by the agent", annPassword} {
		for _, e := range events {
			if strings.Contains(string(e.Details), value) {
				s.t.Errorf("the event %s tells %q", e.Action, value)
			}
		}
	}
}

var storySteps = []string{
	"member.invite success", "member.join success", "auth.success success",
	"agent.enroll success", "vault.create success", "secret.write success", "secret.read refused",
	"policy.create success", "auth.success success", "secret.read success", "secret.read refused",
	"secret.write success", "share.create success", "share.access refused", "share.accept success", "share.access success",
	"cmek.enable success", "secret.write success", "secret.read success", "cmek.rotate success", "secret.read success",
	"share.access success", "share.revoke success", "share.access refused",
	"secret.read success", "policy.delete success", "secret.read refused",
	"agent.deactivate success", "auth.failure refused",
	"secret.read success", "member.remove success", "auth.failure refused",
}
