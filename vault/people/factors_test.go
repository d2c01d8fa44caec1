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
	w.ok(err)
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, w.clock.Now().Unix()/30)
	sum := m.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

// factor switches p's second factor on.
func (w *world) factor(p identity.Principal) (secret string, codes []string) {
	w.Helper()
	m, err := w.SetUpMFA(w.Context(), p)
	w.ok(err)
	codes, err = w.ConfirmMFA(w.Context(), p, w.otp(m.Secret))
	w.ok(err)
	return m.Secret, codes
}

func (w *world) begun(email string) string {
	w.Helper()
	l, err := w.login(email, first)
	w.ok(err)
	if !l.MFARequired || l.ExpiresIn != 300 {
		w.Fatalf("%+v", l)
	}
	return l.JWT
}

func TestH14SecondFactor(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	m, err := w.SetUpMFA(w.Context(), ann)
	w.ok(err)
	if !strings.HasPrefix(m.URI, "otpauth://totp/1Claw:ann@example.com?") || !strings.Contains(m.URI, m.Secret) {
		t.Error(m.URI)
	}
	if l, err := w.login("ann@example.com", first); err != nil || l.MFARequired {
		t.Errorf("it is on before it is confirmed: %+v %v", l, err)
	}
	_, err = w.ConfirmMFA(w.Context(), ann, "000000")
	w.is(err, people.ErrMFASetup)
	used := w.otp(m.Secret)
	var codes []string
	w.logs("mfa.enable success", func() {
		codes, err = w.ConfirmMFA(w.Context(), ann, used)
		w.ok(err)
	})
	if len(codes) != 8 {
		t.Errorf("%d recovery codes", len(codes))
	}
	_, err = w.SetUpMFA(w.Context(), ann)
	w.is(err, people.ErrMFAOn)

	var half string
	w.logs("mfa.verify refused mfa_required", func() { half = w.begun("ann@example.com") })
	w.dead(half) // it is good for nothing else
	verify := func(token, code string) error {
		tok, err := w.VerifyMFA(w.Context(), token, code, peer)
		if err == nil {
			w.auth(tok.JWT)
		}
		return err
	}
	w.is(verify(half, used), people.ErrMFACode) // a used step
	w.clock.add(30 * time.Second)
	code := w.otp(m.Secret)
	w.logs("mfa.verify success; auth.success success", func() { w.ok(verify(half, code[:3]+" "+code[3:])) })
	w.is(verify(half, codes[0]), people.ErrMFACode)                   // the token is spent
	w.is(verify(w.begun("ann@example.com"), code), people.ErrMFACode) // and so is the code
	w.ok(verify(w.begun("ann@example.com"), strings.ToUpper(codes[0])))
	w.is(verify(w.begun("ann@example.com"), codes[0]), people.ErrMFACode)
	full, err := w.ident.IssueUser(w.Context(), identity.User{ID: ann.ID, Org: ann.Org}, time.Minute)
	w.ok(err)
	w.is(verify(full.JWT, codes[1]), people.ErrMFACode) // a whole token is no half
	late := w.begun("ann@example.com")
	w.clock.add(5 * time.Minute)
	w.is(verify(late, codes[1]), people.ErrMFACode)
	w.is(verify("x", codes[1]), people.ErrMFACode)
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
		w.is(err, people.ErrMFACode)
	}
	_, err := w.VerifyMFA(w.Context(), w.begun("ann@example.com"), codes[0], peer)
	w.is(err, people.ErrSlowDown)
	w.is(w.DisableMFA(w.Context(), ann, codes[0], ""), people.ErrSlowDown)
	w.clock.add(time.Second)
	_, err = w.VerifyMFA(w.Context(), w.begun("ann@example.com"), codes[0], peer)
	w.ok(err)
}

func TestH14Disable(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	w.is(w.DisableMFA(w.Context(), ann, "", first), people.ErrMFAOff)
	secret, codes := w.factor(ann)
	w.is(w.DisableMFA(w.Context(), ann, "", canary), people.ErrMFADisable)
	w.is(w.DisableMFA(w.Context(), ann, "", ""), people.ErrMFADisable)
	w.is(w.DisableMFA(w.Context(), ann, w.otp(secret), ""), people.ErrMFADisable) // used
	half := w.begun("ann@example.com")
	w.logs("mfa.disable success", func() { w.ok(w.DisableMFA(w.Context(), ann, codes[3], "")) })
	_, err := w.VerifyMFA(w.Context(), half, codes[4], peer)
	w.is(err, people.ErrMFACode)
	w.factor(ann)
	w.ok(w.DisableMFA(w.Context(), ann, "", first))
	on, err := w.MFAEnabled(w.Context(), ann)
	w.ok(err)
	if on {
		t.Error("it is still on")
	}
}

func TestH14AResetDoesNotGoAroundIt(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	_, codes := w.factor(ann)
	half := w.begun("ann@example.com")
	w.ok(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	w.ok(w.ResetPassword(w.Context(), w.mailed("ann@example.com"), second, peer))
	w.clock.add(time.Second)
	_, err := w.VerifyMFA(w.Context(), half, codes[0], peer)
	w.is(err, people.ErrMFACode) // begun with the old password
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
	w.ok(err)
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
	w.ok(err)
	w.hears(c.Device, people.PollPending)
	w.clock.add(time.Second)
	w.hears(c.Device, people.PollSlowDown)
	w.clock.add(4 * time.Second)
	w.hears(c.Device, people.PollPending)
	w.hears(c.User, people.PollExpired)
	d, err := w.LookDevice(w.Context(), strings.ToLower(c.User))
	w.ok(err)
	if d.Status != people.DevicePending || d.Client != "cli" {
		t.Errorf("%+v", d)
	}
	w.logs("device.approve success", func() { w.ok(w.ApproveDevice(w.Context(), ann, c.User)) })
	w.is(w.DenyDevice(w.Context(), ann, c.User), people.ErrDeviceDecided)
	w.clock.add(5 * time.Second)
	g, why := w.poll(c.Device)
	if why != "" || g.ExpiresIn != 86400 || w.auth(g.JWT).ID != ann.ID || g.User.Email != "ann@example.com" {
		t.Errorf("%q %+v", why, g.User)
	}
	w.clock.add(5 * time.Second)
	w.hears(c.Device, people.PollExpired) // once
	_, err = w.LookDevice(w.Context(), c.User)
	w.is(err, people.ErrNoDevice)
	w.is(w.ApproveDevice(w.Context(), ann, "ZZZZ-ZZZZ"), people.ErrNoDevice)

	c, _ = w.BeginDevice(w.Context(), "cli")
	w.logs("device.deny success", func() { w.ok(w.DenyDevice(w.Context(), ann, c.User)) })
	w.hears(c.Device, people.PollDenied)

	c, _ = w.BeginDevice(w.Context(), "cli")
	w.clock.add(10 * time.Minute)
	w.is(w.ApproveDevice(w.Context(), ann, c.User), people.ErrDeviceExpired)
	w.hears(c.Device, people.PollExpired)
	if d, err := w.LookDevice(w.Context(), c.User); err != nil || d.Status != people.DeviceExpired {
		t.Errorf("%+v %v", d, err)
	}
	w.ok(w.Tidy(w.Context()))
	_, err = w.LookDevice(w.Context(), c.User)
	w.is(err, people.ErrNoDevice)
}

func TestH15OneTokenForOneCode(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	c, _ := w.BeginDevice(w.Context(), "cli")
	w.ok(w.ApproveDevice(w.Context(), ann, c.User))
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
	w.ok(w.ApproveDevice(w.Context(), ann, c.User))
	w.ok(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	w.ok(w.ResetPassword(w.Context(), w.mailed("ann@example.com"), second, peer))
	w.hears(c.Device, people.PollDenied)
}
