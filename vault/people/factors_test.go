package people_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/site"
)

// otp is what an app shows now.
func (w *world) otp(secret string) string {
	w.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	w.OK(err)
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, w.Clock.Now().Unix()/30)
	sum := m.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

// factor switches p's second factor on.
func (w *world) factor(p identity.Principal) (secret string, codes []string) {
	w.Helper()
	m, err := w.SetUpMFA(w.Context(), p)
	w.OK(err)
	codes, err = w.ConfirmMFA(w.Context(), p, w.otp(m.Secret))
	w.OK(err)
	return m.Secret, codes
}

func (w *world) begun(email string) string {
	w.Helper()
	l, err := w.login(email, first)
	w.OK(err)
	if !l.MFARequired || l.ExpiresIn != 300 {
		w.Fatalf("%+v", l)
	}
	return l.JWT
}

func TestH14SecondFactor(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	m, err := w.SetUpMFA(w.Context(), ann)
	w.OK(err)
	if !strings.HasPrefix(m.URI, "otpauth://totp/1Claw:ann@example.com?") || !strings.Contains(m.URI, m.Secret) {
		t.Error(m.URI)
	}
	if l, err := w.login("ann@example.com", first); err != nil || l.MFARequired {
		t.Errorf("it is on before it is confirmed: %+v %v", l, err)
	}
	_, err = w.ConfirmMFA(w.Context(), ann, "000000")
	w.Is(err, people.ErrMFASetup)
	used := w.otp(m.Secret)
	var codes []string
	w.Logs("mfa.enable success", func() {
		codes, err = w.ConfirmMFA(w.Context(), ann, used)
		w.OK(err)
	})
	if len(codes) != 8 {
		t.Errorf("%d recovery codes", len(codes))
	}
	_, err = w.SetUpMFA(w.Context(), ann)
	w.Is(err, people.ErrMFAOn)

	var half string
	w.Logs("mfa.verify refused mfa_required", func() { half = w.begun("ann@example.com") })
	w.dead(half) // it is good for nothing else
	verify := func(token, code string) error {
		tok, err := w.VerifyMFA(w.Context(), token, code, peer)
		if err == nil {
			w.auth(tok.JWT)
		}
		return err
	}
	w.Is(verify(half, used), people.ErrMFACode) // a used step
	w.Clock.Add(30 * time.Second)
	code := w.otp(m.Secret)
	w.Logs("mfa.verify success; auth.success success", func() { w.OK(verify(half, code[:3]+" "+code[3:])) })
	w.Is(verify(half, codes[0]), people.ErrMFACode)                   // the token is spent
	w.Is(verify(w.begun("ann@example.com"), code), people.ErrMFACode) // and so is the code
	w.OK(verify(w.begun("ann@example.com"), strings.ToUpper(codes[0])))
	w.Is(verify(w.begun("ann@example.com"), codes[0]), people.ErrMFACode)
	full, err := w.ident.IssueUser(w.Context(), identity.User{ID: ann.ID, Org: ann.Org}, time.Minute)
	w.OK(err)
	w.Is(verify(full.JWT, codes[1]), people.ErrMFACode) // a whole token is no half
	late := w.begun("ann@example.com")
	w.Clock.Add(5 * time.Minute)
	w.Is(verify(late, codes[1]), people.ErrMFACode)
	w.Is(verify("x", codes[1]), people.ErrMFACode)
	if n := func() (n int) {
		token := w.begun("ann@example.com")
		return atOnce(8, func() error { return verify(token, codes[2]) })
	}(); n != 1 {
		t.Errorf("one code bought %d tokens", n)
	}
}

func TestH14GuessesAreLimited(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	_, codes := w.factor(ann)
	for range 5 {
		_, err := w.VerifyMFA(w.Context(), w.begun("ann@example.com"), "000000", peer)
		w.Is(err, people.ErrMFACode)
	}
	_, err := w.VerifyMFA(w.Context(), w.begun("ann@example.com"), codes[0], peer)
	w.Is(err, people.ErrSlowDown)
	w.Is(w.DisableMFA(w.Context(), ann, codes[0], ""), people.ErrSlowDown)
	w.Clock.Add(time.Second)
	_, err = w.VerifyMFA(w.Context(), w.begun("ann@example.com"), codes[0], peer)
	w.OK(err)
}

func TestH14Disable(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	w.Is(w.DisableMFA(w.Context(), ann, "", first), people.ErrMFAOff)
	secret, codes := w.factor(ann)
	w.Is(w.DisableMFA(w.Context(), ann, "", canary), people.ErrMFADisable)
	w.Is(w.DisableMFA(w.Context(), ann, "", ""), people.ErrMFADisable)
	w.Is(w.DisableMFA(w.Context(), ann, w.otp(secret), ""), people.ErrMFADisable) // used
	half := w.begun("ann@example.com")
	w.Logs("mfa.disable success", func() { w.OK(w.DisableMFA(w.Context(), ann, codes[3], "")) })
	_, err := w.VerifyMFA(w.Context(), half, codes[4], peer)
	w.Is(err, people.ErrMFACode)
	w.factor(ann)
	w.OK(w.DisableMFA(w.Context(), ann, "", first))
	on, err := w.MFAEnabled(w.Context(), ann)
	w.OK(err)
	if on {
		t.Error("it is still on")
	}
}

func TestH14AResetDoesNotGoAroundIt(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	_, codes := w.factor(ann)
	half := w.begun("ann@example.com")
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	w.OK(w.ResetPassword(w.Context(), w.mailed("ann@example.com"), second, peer))
	w.Clock.Add(time.Second)
	_, err := w.VerifyMFA(w.Context(), half, codes[0], peer)
	w.Is(err, people.ErrMFACode) // begun with the old password
	if l, err := w.login("ann@example.com", second); err != nil || !l.MFARequired {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := w.Admit(w.Context(), ann.Org, ann.ID, peer); err != nil || !l.MFARequired {
		t.Errorf("another first factor: %+v %v", l, err)
	}
}

func (w *world) poll(code string) (people.DeviceGrant, people.PollError) {
	w.Helper()
	g, why, err := w.PollDevice(w.Context(), code, peer)
	w.OK(err)
	return g, why
}

func (w *world) hears(code string, want people.PollError) {
	w.Helper()
	if g, why := w.poll(code); why != want || (why != "") != (g.JWT == "") {
		w.Errorf("heard %q, want %q", why, want)
	}
}

func TestH15DeviceFlow(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	c, err := w.BeginDevice(w.Context(), "cli")
	w.OK(err)
	w.hears(c.Device, people.PollPending)
	w.Clock.Add(time.Second)
	w.hears(c.Device, people.PollSlowDown)
	w.Clock.Add(4 * time.Second)
	w.hears(c.Device, people.PollPending)
	w.hears(c.User, people.PollExpired)
	d, err := w.LookDevice(w.Context(), strings.ToLower(c.User))
	w.OK(err)
	if d.Status != people.DevicePending || d.Client != "cli" {
		t.Errorf("%+v", d)
	}
	w.Logs("device.approve success", func() { w.OK(w.ApproveDevice(w.Context(), ann, c.User)) })
	w.Is(w.DenyDevice(w.Context(), ann, c.User), people.ErrDeviceDecided)
	w.Clock.Add(5 * time.Second)
	g, why := w.poll(c.Device)
	if why != "" || g.ExpiresIn != 86400 || w.auth(g.JWT).ID != ann.ID || g.User.Email != "ann@example.com" {
		t.Errorf("%q %+v", why, g.User)
	}
	w.Clock.Add(5 * time.Second)
	w.hears(c.Device, people.PollExpired) // once
	_, err = w.LookDevice(w.Context(), c.User)
	w.Is(err, people.ErrNoDevice)
	w.Is(w.ApproveDevice(w.Context(), ann, "ZZZZ-ZZZZ"), people.ErrNoDevice)

	c, _ = w.BeginDevice(w.Context(), "cli")
	w.Logs("device.deny success", func() { w.OK(w.DenyDevice(w.Context(), ann, c.User)) })
	w.hears(c.Device, people.PollDenied)

	c, _ = w.BeginDevice(w.Context(), "cli")
	w.Clock.Add(10 * time.Minute)
	w.Is(w.ApproveDevice(w.Context(), ann, c.User), people.ErrDeviceExpired)
	w.hears(c.Device, people.PollExpired)
	if d, err := w.LookDevice(w.Context(), c.User); err != nil || d.Status != people.DeviceExpired {
		t.Errorf("%+v %v", d, err)
	}
	w.OK(w.Tidy(w.Context()))
	_, err = w.LookDevice(w.Context(), c.User)
	w.Is(err, people.ErrNoDevice)
}

func TestH15OneTokenForOneCode(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	c, _ := w.BeginDevice(w.Context(), "cli")
	w.OK(w.ApproveDevice(w.Context(), ann, c.User))
	n := atOnce(8, func() error {
		g, _, err := w.PollDevice(w.Context(), c.Device, peer)
		if err == nil && g.JWT == "" {
			err = people.ErrNoDevice
		}
		return err
	})
	if n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestH15ApprovalsEndWithThePassword(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	c, _ := w.BeginDevice(w.Context(), "cli")
	w.OK(w.ApproveDevice(w.Context(), ann, c.User))
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	w.OK(w.ResetPassword(w.Context(), w.mailed("ann@example.com"), second, peer))
	w.hears(c.Device, people.PollDenied)
}
