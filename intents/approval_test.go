package intents_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// needs has people agree to what w.agent sends above 0.1.
func (w *world) needs(approvers int) {
	w.Helper()
	above, err := evm.ParseUnits("0.1", 18)
	w.ok(err)
	w.update(func(tx intents.Tx) error {
		return tx.PutExtra(w.agent.ID, intents.Extra{Approval: &intents.ApprovalRule{Above: &above, Approvers: approvers}})
	})
}

func (w *world) ask(r intents.Request) intents.Approval {
	w.Helper()
	out, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	if out.Approval == nil {
		w.Fatal("nobody was asked")
	}
	return *out.Approval
}

func TestApproval(t *testing.T) {
	w := newWorld(t)
	w.needs(2)
	w.submit(pay("0.1")) // not above
	alice, bob, carol := w.person(identity.RoleOwner), w.person(identity.RoleAdmin), w.person(identity.RoleMember)

	var a intents.Approval
	w.logs("approval.request success", func() { a = w.ask(pay("0.2")) })
	w.logs("", func() {
		if again := w.ask(pay("0.2")); again.ID != a.ID {
			t.Error("people were asked twice")
		}
	})
	if w.spent() != "0.1" || len(w.chain.sent) != 1 {
		t.Fatal("something was reserved or sent before people agreed")
	}
	_, err := w.Approve(w.ctx, w.agent, a.ID)
	w.is(err, intents.ErrDenied)
	_, err = w.Approve(w.ctx, carol, a.ID)
	w.is(err, intents.ErrDenied)
	got, err := w.Approve(w.ctx, alice, a.ID)
	w.ok(err)
	if got.Status != intents.Pending {
		t.Fatalf("one of two agreed, and it is %s", got.Status)
	}
	_, err = w.Approve(w.ctx, alice, a.ID)
	w.is(err, intents.ErrVoted)
	if still := w.ask(pay("0.2")); still.ID != a.ID {
		t.Fatal("it passed with one of two")
	}
	got, err = w.Approve(w.ctx, bob, a.ID)
	w.ok(err)
	if got.Status != intents.Approved {
		t.Fatalf("both agreed, and it is %s", got.Status)
	}
	other := pay("0.2")
	other.To = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
	if wrong := w.ask(other); wrong.ID == a.ID {
		t.Fatal("the decision was used for another recipient")
	}
	in := w.submit(pay("0.2"))
	if in.Status() != "broadcast" {
		t.Fatalf("it is %s", in.Status())
	}
	if again := w.ask(pay("0.2")); again.ID == a.ID {
		t.Fatal("one decision was used twice")
	}
	if a, err := w.Approval(w.ctx, w.agent, a.ID); err != nil || a.Status != intents.Used || a.Intent != in.ID {
		t.Fatalf("the approval is %+v (%v)", a, err)
	}
}

func TestApprovalEnds(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	boss := w.person(identity.RoleOwner)
	a := w.ask(pay("0.2"))
	denied, err := w.Deny(w.ctx, boss, a.ID, "not today")
	w.ok(err)
	if denied.Status != intents.Denied || denied.Reason != "not today" {
		t.Fatalf("it is %+v", denied)
	}
	_, err = w.Approve(w.ctx, boss, a.ID)
	w.is(err, intents.ErrDecided)

	a = w.ask(pay("0.3"))
	w.clock.Add(25 * time.Hour)
	_, err = w.Approve(w.ctx, boss, a.ID)
	w.is(err, intents.ErrDecided)
	if late := w.ask(pay("0.3")); late.ID == a.ID {
		t.Fatal("an approval that has ended is waited for")
	}

	a = w.ask(pay("0.4"))
	_, err = w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	w.clock.Add(25 * time.Hour)
	if late := w.ask(pay("0.4")); late.ID == a.ID {
		t.Fatal("an agreement from the day before was used")
	}
}

// Whoever asked for the agent does not decide, and a rule without people is not
// one that needs none.
// An agent cannot have people asked for more than they can read.
func TestManyApprovals(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	boss := w.person(identity.RoleOwner)
	var asked []intents.Approval
	for i := range 32 {
		asked = append(asked, w.ask(pay(fmt.Sprintf("1.%d", 10+i))))
	}
	w.ask(pay("1.10")) // the first, again
	more := pay("2")
	w.logs("transaction.submit refused too_many_approvals", func() {
		_, err := w.Submit(w.ctx, w.agent, w.agent.ID, more)
		w.is(err, intents.ErrManyWaiting)
		if !strings.HasPrefix(fault.As(err).Msg, "32 approvals") {
			t.Errorf("it says %q", fault.As(err).Msg)
		}
	})
	_, err := w.Deny(w.ctx, boss, asked[5].ID, "")
	w.ok(err)
	w.ask(more) // there is room for one
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("3"))
	w.is(err, intents.ErrManyWaiting)
	w.clock.Add(25 * time.Hour) // those that nobody decided have ended
	w.ask(pay("3"))
	w.view(func(tx intents.Tx) error {
		list, err := tx.Waiting(w.agent.ID)
		if len(list) != 1 {
			t.Errorf("%d are still counted", len(list))
		}
		return err
	})
}

func TestApprovalByOthers(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	boss := w.person(identity.RoleOwner)
	out, err := w.Submit(w.ctx, boss, w.agent.ID, pay("0.2"))
	w.ok(err)
	_, err = w.Approve(w.ctx, boss, out.Approval.ID)
	w.is(err, intents.ErrOwnApproval)
	w.needs(0)
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.3"))
	w.is(err, intents.ErrBadGuardrails)
}

// A crash between the admission and the signature leaves an agreement usable, once,
// and no longer than it was.
func TestApprovalIsGivenBack(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := newWorld(t)
		w.needs(1)
		boss := w.person(identity.RoleOwner)
		a := w.ask(pay("0.2"))
		_, err := w.Approve(w.ctx, boss, a.ID)
		w.ok(err)
		w.faults.killAfter(1)
		_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.2"))
		w.is(err, errKilled)
		if got, err := w.Approval(w.ctx, boss, a.ID); err != nil || got.Status != intents.Used {
			t.Fatalf("after the admission it is %s (%v)", got.Status, err)
		}
		w.logs("transaction.settle failed interrupted", w.restart)
		w.logs("", w.restart) // there is nothing left to give back
		got, err := w.Approval(w.ctx, boss, a.ID)
		w.ok(err)
		if got.Status != intents.Approved || !got.Intent.IsZero() || len(w.chain.sent) != 0 {
			t.Fatalf("after the restart it is %s of %s, and %d were sent", got.Status, got.Intent, len(w.chain.sent))
		}
		if late {
			w.clock.Add(25 * time.Hour)
		} else {
			w.submit(pay("0.2"))
		}
		if again := w.ask(pay("0.2")); again.ID == a.ID {
			t.Fatalf("it was used twice, or too late: %v", late)
		}
	}
}

// A crash between the agreement and its use leaves it usable once.
func TestApprovalSurvives(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	boss := w.person(identity.RoleOwner)
	a := w.ask(pay("0.2"))
	_, err := w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	w.restart()
	w.submit(pay("0.2"))
	list, err := w.Approvals(w.ctx, boss, intents.Used, 10)
	w.ok(err)
	if len(list) != 1 || list[0].ID != a.ID {
		t.Fatalf("used are %+v", list)
	}
	stranger := identity.Principal{Kind: identity.KindUser, ID: id.New(), Org: id.New(), Role: identity.RoleOwner}
	_, err = w.Approval(w.ctx, stranger, a.ID)
	w.is(err, intents.ErrApprovalNotFound)
}
