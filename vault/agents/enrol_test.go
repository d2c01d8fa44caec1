package agents_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

const annsAddress = "Ann@Example.com"

// enroller is one whose known human is Ann.
func (w *world) enroller() (*agents.Enroller, identity.User) {
	w.Helper()
	ann := identity.User{ID: id.New(), Org: w.org, Email: annsAddress, Role: identity.RoleMember, EmailVerified: true, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error {
		if err := tx.PutUser(ann); err != nil {
			return err
		}
		return tx.PutUserEmail("ann@example.com", identity.UserRef{Org: w.org, User: ann.ID})
	})
	return &agents.Enroller{
		Agents: w.Service, DB: store.Runner[agents.EnrolTx](w.Store), Mails: letter.Writer{Base: "https://vault.example"}, Pace: time.Millisecond,
	}, ann
}

// mails are all that wait.
func (w *world) mails() (out []outbox.Message) {
	w.Helper()
	w.OK(store.Runner[outbox.Tx](w.Store).View(w.Ctx, func(tx outbox.Tx) (err error) {
		out, err = tx.OutboxPending(outbox.Mail, 0)
		return err
	}))
	return out
}

// last is the newest event.
func (w *world) last() storetest.Event {
	w.Helper()
	return w.Events(w.Size() - 1)[0]
}

func TestA14_Enrol(t *testing.T) {
	w := newWorld(t)
	e, ann := w.enroller()
	agent, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "scout", HumanEmail: " ANN@example.com ", Description: "scouts"}, peer)
	w.OK(err)
	a := w.stored(agent)
	if a.Name != "scout" || a.Description != "scouts" || a.Org != w.org || a.CreatedBy != ann.ID || !a.Active || a.AuthMethod != identity.AuthAPIKey || a.SSHPublicKey == "" {
		t.Errorf("got %+v", a)
	}
	if last := w.last(); last.Action != "agent.enroll" || last.Outcome != "success" || last.Org != w.org || last.Actor.Type != "anonymous" {
		t.Errorf("logged %+v", last)
	}
	mails := w.mails()
	if len(mails) != 1 || mails[0].To != annsAddress || mails[0].User != ann.ID || mails[0].Org != w.org || !strings.Contains(mails[0].Body, agent.String()) {
		t.Fatalf("got %v", mails)
	}
	_, key, ok := strings.Cut(mails[0].Body, "ocv_")
	if !ok {
		t.Fatal("no key in the mail")
	}
	key = "ocv_" + key[:43]
	p := w.login(key)
	if p.ID != agent || len(p.Scopes) != 0 {
		t.Errorf("got %+v", p)
	}
	vaults, err := w.vaults.Vaults(w.Ctx, p)
	w.OK(err)
	if len(vaults) != 0 {
		t.Errorf("it sees %v", vaults)
	}
	if len(w.keysVaults()) != 1 {
		t.Error("its identity keys are not kept")
	}
}

// Nobody learns from an answer, its time or the log's growth who has an account.
func TestC22_EnrolIsUniform(t *testing.T) {
	w := newWorld(t)
	w.register(agents.Spec{}) // the organisation has its vault for keys
	e, _ := w.enroller()
	e.Pace = 100 * time.Millisecond
	seen := map[id.ID]bool{}
	for _, email := range []string{annsAddress, "nobody@example.com"} {
		before := w.Size()
		begun := time.Now()
		agent, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "scout", HumanEmail: email}, peer)
		w.OK(err)
		if took := time.Since(begun); took < e.Pace {
			t.Errorf("%s: answered after %v", email, took)
		}
		after, last := w.Size(), w.last()
		if after != before+1 || last.Action != "agent.enroll" {
			t.Errorf("%s: %d events", email, after-before)
		}
		if agent.IsZero() || seen[agent] {
			t.Errorf("%s: %v", email, agent)
		}
		seen[agent] = true
	}
	if last := w.last(); last.Reason != "no_such_human" || last.Outcome != "refused" {
		t.Errorf("logged %+v", last)
	}
	if n := len(w.mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
	for _, email := range []string{annsAddress, "nobody@example.com"} { // and when it may not be
		_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "scout", HumanEmail: strings.ToUpper(email)}, peer)
		w.Is(err, agents.ErrEnrolledLately)
		if after := fault.As(err).RetryAfter; after <= 9*time.Minute || after > 10*time.Minute {
			t.Errorf("%s: wait %v", email, after)
		}
	}
	w.Clock.Set(clocktest.Noon.Add(10 * time.Minute))
	for _, email := range []string{annsAddress, "nobody@example.com"} {
		_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "scout", HumanEmail: email}, peer)
		w.OK(err)
	}
}

// What is broken is so for everybody.
func TestEnrolWithoutTheHSM(t *testing.T) {
	w := newWorld(t)
	e, _ := w.enroller()
	w.OK(w.gate.Close())
	for _, email := range []string{annsAddress, "nobody@example.com"} {
		_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "scout", HumanEmail: email}, peer)
		w.Is(err, hsm.ErrSealed)
	}
	if len(w.mails()) != 0 {
		t.Error("a mail without an agent")
	}
}

func TestEnrolIsRefused(t *testing.T) {
	w := newWorld(t)
	e, _ := w.enroller()
	for _, c := range []struct {
		n    agents.Enrolment
		want error
	}{
		{agents.Enrolment{HumanEmail: annsAddress}, agents.ErrName},
		{agents.Enrolment{Name: strings.Repeat("n", 256), HumanEmail: annsAddress}, agents.ErrName},
		{agents.Enrolment{Name: "x", HumanEmail: annsAddress, Description: strings.Repeat("d", 4097)}, agents.ErrDescription},
		{agents.Enrolment{Name: "x", HumanEmail: "ann"}, identity.ErrEmail},
		{agents.Enrolment{Name: "x"}, identity.ErrEmail},
		{agents.Enrolment{Name: "x", HumanEmail: "Ann <ann@example.com>"}, identity.ErrEmail},
		{agents.Enrolment{Name: "x", HumanEmail: "ann@example.com\r\nBcc: b@example.com"}, identity.ErrEmail},
	} {
		_, err := e.Enrol(w.Ctx, c.n, peer)
		w.Is(err, c.want)
	}
	_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "x", HumanEmail: annsAddress}, peer) // none of those counted
	w.OK(err)
}

// full is an outbox with no room.
type full struct{ txn.Runner[agents.EnrolTx] }

type fullTx struct{ agents.EnrolTx }

func (fullTx) OutboxWaiting(id.ID, outbox.Channel) (int, error) { return outbox.MaxWaiting, nil }

func (f full) Update(ctx context.Context, fn func(agents.EnrolTx) error) error {
	return f.Runner.Update(ctx, func(tx agents.EnrolTx) error { return fn(fullTx{tx}) })
}

// No agent whose key nobody gets; and the answer does not tell.
func TestEnrolWithoutRoomForTheMail(t *testing.T) {
	w := newWorld(t)
	e, _ := w.enroller()
	e.DB = full{e.DB}
	before := w.state()
	_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: "x", HumanEmail: annsAddress}, peer)
	w.OK(err)
	storetest.Equal(t, "state", w.state(), before)
	if last := w.last(); last.Reason != "mail_not_accepted" {
		t.Errorf("logged %+v", last)
	}
}

func TestEnrolAtOnce(t *testing.T) {
	w := newWorld(t)
	e, _ := w.enroller()
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for i := range 20 {
		all.Go(func() {
			_, err := e.Enrol(w.Ctx, agents.Enrolment{Name: fmt.Sprint("bot ", i), HumanEmail: annsAddress}, peer)
			if err != nil && !errors.Is(err, agents.ErrEnrolledLately) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			}
		})
	}
	all.Wait()
	if done != 1 || len(w.mails()) != 1 {
		t.Errorf("%d enrolled, %d mails", done, len(w.mails()))
	}
}

// A certificate is one agent's in an organisation, and stays in step with it.
func TestFingerprintsAreUnique(t *testing.T) {
	w := newWorld(t)
	spec := agents.Spec{AuthMethod: identity.AuthMTLS, CertFingerprint: strings.Repeat("ab", 32), Name: "one"}
	a, _ := w.register(spec)
	before := w.state()
	_, _, err := w.Register(w.Ctx, w.alice, spec)
	w.Is(err, identity.ErrClaimTaken)
	storetest.Equal(t, "state", w.state(), before)
	w.OK(w.Deactivate(w.Ctx, w.alice, a.ID))
	b, _ := w.register(spec)
	_, err = w.Update(w.Ctx, w.alice, a.ID, agents.Change{Active: ptr(true)})
	w.Is(err, identity.ErrClaimTaken)
	if w.stored(a.ID).Active {
		t.Error("both are active")
	}
	_, err = w.Update(w.Ctx, w.alice, b.ID, agents.Change{Name: ptr("two"), Active: ptr(false)})
	w.OK(err)
	_, err = w.Update(w.Ctx, w.alice, a.ID, agents.Change{Active: ptr(true)})
	w.OK(err)
	other := w.user(id.New(), identity.RoleOwner) // another organisation may
	_, _, err = w.Register(w.Ctx, other, spec)
	w.OK(err)
}
