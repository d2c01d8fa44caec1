package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

func names(all []delivery) (out []string) {
	for _, d := range all {
		out = append(out, d.Data.ResourceID)
	}
	slices.Sort(out)
	return out
}

func TestDelivers(t *testing.T) {
	w := newWorld(t)
	w.happen(w.org, audit.SecretRead, "before")
	sub, secret := w.subscribe("secret.read", "secret.write")
	other := id.New()
	w.happen(w.org, audit.SecretRead, "read")
	w.happen(w.org, audit.SecretRotate, "rotated")
	w.happen(w.org, audit.SecretDelete, "not asked for")
	w.happen(w.org, audit.SecretList, "nobody's business")
	w.happen(other, audit.SecretRead, "another organisation")
	w.happen(id.ID{}, audit.AuthFailure, "nobody's")
	w.follow()
	if n := w.deliver(); n != 2 {
		t.Fatalf("%d delivered", n)
	}
	got := w.hook.received()
	if fmt.Sprint(names(got)) != "[read rotated]" {
		t.Fatal(names(got))
	}
	records := w.records()
	for _, d := range got {
		r := records[d.Data.Index]
		event := map[string]string{"read": "secret.read", "rotated": "secret.write"}[d.Data.ResourceID]
		if d.Type != event || d.header.Get(webhook.HeaderEvent) != event || d.ID != r.ID || d.Org != w.org || d.Data.Action != string(r.Action) ||
			d.Data.Outcome != "success" || d.Data.Details["path"] != d.Data.ResourceID || d.Data.IPAddress != "192.0.2.7" {
			t.Errorf("%s", d.body)
		}
		if err := webhook.Verify([]byte(secret), d.header.Get(webhook.HeaderSignature), d.body, clocktest.Noon); err != nil {
			t.Error(err)
		}
		if d.header.Get(webhook.HeaderTimestamp) != fmt.Sprint(clocktest.Noon.Unix()) || d.header.Get("Content-Type") != "application/json" || d.url != "/hook?token=canary-url" {
			t.Errorf("%v", d.header)
		}
	}
	for _, m := range w.messages() {
		if m.State != outbox.Sent || m.Body != "" || m.To != sub.ID.String() || m.ID.String() != got[0].header.Get(webhook.HeaderDelivery) && m.ID.String() != got[1].header.Get(webhook.HeaderDelivery) {
			t.Errorf("%+v", m)
		}
	}
	w.follow()
	if n := w.deliver(); n != 0 {
		t.Errorf("%d again", n)
	}
}

// Events that left the store for the archive are delivered as well.
func TestFollowsIntoTheArchive(t *testing.T) {
	w := newWorld(t)
	w.subscribe("*")
	const n = 700
	for i := range n {
		w.happen(w.org, audit.SecretRead, fmt.Sprint(i))
		if i%5 == 0 {
			w.happen(id.New(), audit.SecretRead, "elsewhere")
		}
	}
	drainer := audit.Drainer{DB: w.log.DB, Archive: w.archive}
	for moved := 1; moved > 0; {
		var err error
		moved, err = drainer.Drain(t.Context())
		w.ok(err)
	}
	w.follow()
	if sent := w.deliver(); sent != n {
		t.Errorf("%d delivered", sent)
	}
}

// A restart between any two steps loses nothing and sends nothing twice.
func TestRestarts(t *testing.T) {
	w := newWorld(t)
	w.subscribe("secret.*")
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("%03d", i)
		w.happen(w.org, audit.SecretWrite, name)
		want = append(want, name)
		switch i % 3 {
		case 0:
			_, err := w.follower.Step(t.Context())
			w.ok(err)
		case 1:
			w.deliver()
		}
		w.restart()
	}
	w.follow()
	w.restart()
	w.deliver()
	if got := names(w.hook.received()); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// lossy is a store that dies before or after a commit.
type lossy struct {
	txn.Runner[webhook.Tx]
	after bool
}

var errKilled = errors.New("killed")

func (l lossy) Update(ctx context.Context, fn func(webhook.Tx) error) error {
	if l.after {
		if err := l.Runner.Update(ctx, fn); err != nil {
			return err
		}
	}
	return errKilled
}

// Whichever side of its commit the follower dies on, every event is delivered
// once.
func TestKilledAroundTheCommit(t *testing.T) {
	for _, after := range []bool{false, true} {
		w := newWorld(t)
		w.subscribe("secret.*")
		for i := range 250 { // more than one transaction's
			w.happen(w.org, audit.SecretWrite, fmt.Sprintf("%03d", i))
		}
		for range 4 {
			w.follower.DB = lossy{w.service.DB, after}
			if _, err := w.follower.Step(t.Context()); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			w.restart()
		}
		w.follow()
		if n := w.deliver(); n != 250 || len(slices.Compact(names(w.hook.received()))) != 250 {
			t.Errorf("after %v: %d delivered", after, n)
		}
	}
}

func TestTwoFollowersExcludeEachOther(t *testing.T) {
	w := newWorld(t)
	w.subscribe("secret.*")
	w.happen(w.org, audit.SecretWrite, "x")
	w.follower.DB = racing{w.service.DB, func() {
		other := webhook.Follower{DB: w.service.DB, Events: w.log, Now: w.clock.Now}
		if _, err := other.Step(t.Context()); err != nil {
			t.Error(err)
		}
	}}
	if _, err := w.follower.Step(t.Context()); err == nil {
		t.Error("both moved the cursor")
	}
	if n := w.deliver(); n != 1 {
		t.Errorf("%d delivered", n)
	}
}

// racing is a store in which something happens before an Update.
type racing struct {
	txn.Runner[webhook.Tx]
	first func()
}

func (r racing) Update(ctx context.Context, fn func(webhook.Tx) error) error {
	r.first()
	return r.Runner.Update(ctx, fn)
}

// What happens while nobody listens is not told later.
func TestInactive(t *testing.T) {
	w := newWorld(t)
	sub, _ := w.subscribe("*")
	set := func(active bool) {
		t.Helper()
		_, err := w.service.Update(t.Context(), w.owner, sub.ID, webhook.Change{Active: &active})
		w.ok(err)
	}
	w.happen(w.org, audit.SecretRead, "on")
	w.follow()
	set(false)
	w.happen(w.org, audit.SecretRead, "off")
	w.follow()
	set(true)
	w.happen(w.org, audit.SecretRead, "on again")
	w.follow()
	w.deliver()
	if got := names(w.hook.received()); fmt.Sprint(got) != "[on on again]" {
		t.Errorf("got %v", got)
	}
	set(false)
	w.happen(w.org, audit.SecretRead, "x")
	w.follow()
	set(true)
	w.happen(w.org, audit.SecretRead, "deleted meanwhile")
	w.follow()
	w.ok(w.service.Delete(t.Context(), w.owner, sub.ID))
	if n := w.deliver(); n != 0 {
		t.Errorf("%d delivered to nobody", n)
	}
	if m := w.messages()[0]; m.State != outbox.Failed || !strings.Contains(m.LastError, "deleted") {
		t.Errorf("%s: %s", m.State, m.LastError)
	}
}

// A receiver that fails is left alone for a while, and what waits is not counted
// as having failed.
func TestReceiverRests(t *testing.T) {
	w := newWorld(t)
	sub, _ := w.subscribe("*")
	w.hook.answers(http.StatusInternalServerError)
	for i := range 40 {
		w.happen(w.org, audit.SecretRead, fmt.Sprint(i))
	}
	w.follow()
	w.deliver()
	tried := w.hook.attempts()
	if tried == 0 || tried > 16 {
		t.Errorf("%d attempts", tried)
	}
	w.deliver()
	if s := w.read(sub.ID); w.hook.attempts() != tried || s.Failures != tried || !s.FailingSince.Equal(clocktest.Noon) {
		t.Errorf("%d attempts, %d failures since %v", w.hook.attempts(), s.Failures, s.FailingSince)
	}
	w.hook.answers(http.StatusOK)
	w.clock.Add(2 * time.Minute)
	if n := w.deliver(); n != 40 {
		t.Errorf("%d delivered", n)
	}
	if s := w.read(sub.ID); s.Failures != 0 || !s.FailingSince.IsZero() {
		t.Errorf("%+v", s)
	}
	for _, d := range w.hook.received() {
		if d.header.Get(webhook.HeaderTimestamp) != fmt.Sprint(clocktest.Noon.Add(2*time.Minute).Unix()) {
			t.Error("an old signature was sent again")
		}
	}
}

func TestOnlySuccessCounts(t *testing.T) {
	for _, status := range []int{301, 302, 307, 400, 404, 410, 429, 500, 503} {
		w := newWorld(t)
		w.subscribe("*")
		w.hook.answers(status)
		w.happen(w.org, audit.SecretRead, "x")
		w.follow()
		if n := w.deliver(); n != 0 {
			t.Errorf("%d counts as success", status)
		}
		if m := w.messages()[0]; m.LastError != fmt.Sprintf("the receiver answered %d", status) || m.State != outbox.Pending {
			t.Errorf("%s, %q", m.State, m.LastError)
		}
	}
}

// A receiver that fails for five days is given up: the log and the owners are
// told, and no text has more of the URL than the host.
func TestGivenUp(t *testing.T) {
	w := newWorld(t)
	w.person(w.org, identity.RoleMember)
	w.person(id.New(), identity.RoleOwner)
	sub, secret := w.subscribe("*")
	w.hook.answers(http.StatusServiceUnavailable)
	for n := 0; w.read(sub.ID).Active; n++ {
		if n > 200 {
			t.Fatal("it goes on for ever")
		}
		w.happen(w.org, audit.SecretRead, fmt.Sprint(n))
		w.follow()
		w.deliver()
		w.clock.Add(4 * time.Hour)
	}
	s := w.read(sub.ID)
	if d := s.DisabledAt.Sub(clocktest.Noon); d < webhook.GiveUpAfter || d > webhook.GiveUpAfter+5*time.Hour {
		t.Errorf("given up after %v", d)
	}
	var mails []outbox.Message
	for _, m := range w.messages() {
		if m.Channel == outbox.Mail {
			mails = append(mails, m)
		}
	}
	host := strings.TrimPrefix(w.hook.url, "https://")
	if len(mails) != 1 || mails[0].To != "owner@example.com" || mails[0].Kind != letter.KindWebhookDisabled || !strings.Contains(mails[0].Body, host) {
		t.Errorf("%+v", mails)
	}
	last := w.records()[len(w.records())-1]
	if last.Action != webhook.ActionDisable || last.ActorType != "system" || last.OrgID != w.org || last.Details["host"] != host {
		t.Errorf("%+v", last)
	}
	told := w.text.String() + fmt.Sprint(w.records(), mails[0].Body)
	for _, m := range w.messages() {
		told += m.LastError
	}
	if strings.Contains(told, "canary") || strings.Contains(told, secret) {
		t.Error("the URL or the secret is told")
	}
	attempts := w.hook.attempts()
	w.clock.Add(6 * time.Hour)
	w.happen(w.org, audit.SecretRead, "x")
	w.follow()
	w.deliver()
	if w.hook.attempts() != attempts {
		t.Error("it is still tried")
	}
	w.hook.answers(http.StatusOK)
	on := true
	s, err := w.service.Update(t.Context(), w.owner, sub.ID, webhook.Change{Active: &on})
	if err != nil || s.Failures != 0 || !s.DisabledAt.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
	w.happen(w.org, audit.SecretRead, "back")
	w.follow()
	w.clock.Add(time.Hour)
	w.deliver()
	if got := names(w.hook.received()); fmt.Sprint(got) != "[back]" {
		t.Errorf("got %v", got)
	}
}

// A policy that forbids the host holds for deliveries too, whatever was allowed
// when somebody subscribed.
func TestForbiddenHost(t *testing.T) {
	w := newWorld(t)
	w.subscribe("*")
	w.happen(w.org, audit.SecretRead, "x")
	w.follow()
	w.outbox.Senders[outbox.Webhook].(*webhook.Deliverer).Poster = poster(t)
	if n := w.deliver(); n != 0 || w.hook.attempts() != 0 {
		t.Error("delivered")
	}
	if m := w.messages()[0]; !strings.Contains(m.LastError, "may not connect") {
		t.Error(m.LastError)
	}
}

// All of it runs by itself.
func TestRun(t *testing.T) {
	w := newWorld(t)
	w.subscribe("secret.*")
	w.follower.Pause, w.follower.Now, w.outbox.Now = time.Millisecond, nil, nil
	w.outbox.Senders[outbox.Webhook].(*webhook.Deliverer).Now = nil
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- w.follower.Run(ctx) }()
	go func() { done <- w.outbox.Run(ctx) }()
	for i := range 100 {
		w.happen(w.org, audit.SecretRead, fmt.Sprintf("%03d", i))
	}
	for begun := time.Now(); len(w.hook.received()) < 100; {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("%d arrived", len(w.hook.received()))
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
		}
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if got := names(w.hook.received()); len(slices.Compact(got)) != 100 || len(w.hook.received()) != 100 {
		t.Errorf("%d arrived", len(w.hook.received()))
	}
}

// Where too much waits already events are dropped and counted, and the follower
// goes on: another organisation's must not wait for this one's receiver.
func TestFullOutbox(t *testing.T) {
	w := newWorld(t)
	sub, _ := w.subscribe("*")
	w.happen(w.org, audit.SecretRead, "too much")
	w.follower.DB = crowded{w.service.DB}
	w.follow()
	w.follower.DB = w.service.DB
	w.happen(w.org, audit.SecretRead, "room again")
	w.follow()
	w.deliver()
	if got, s := names(w.hook.received()), w.read(sub.ID); fmt.Sprint(got) != "[room again]" || s.Dropped != 1 {
		t.Errorf("got %v, dropped %d", got, s.Dropped)
	}
	if !strings.Contains(w.text.String(), "outbox of an organisation is full") {
		t.Error("nobody is told")
	}
}

// crowded is a store whose outbox is full.
type crowded struct{ txn.Runner[webhook.Tx] }

func (c crowded) Update(ctx context.Context, fn func(webhook.Tx) error) error {
	return c.Runner.Update(ctx, func(tx webhook.Tx) error { return fn(crowdedTx{tx}) })
}

type crowdedTx struct{ webhook.Tx }

func (crowdedTx) OutboxWaiting(id.ID, outbox.Channel) (int, error) { return outbox.MaxWaiting, nil }
