package webhook_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// A receiver may have a secret already: deliveries are signed with it, and it is
// not shown again.
func TestASecretOfOnesOwn(t *testing.T) {
	w := newWorld(t)
	own := strings.Repeat("s", 24)
	_, secret, err := w.service.Create(t.Context(), w.owner, webhook.Spec{URL: w.hook.url, Events: []string{"*"}, Secret: own})
	if err != nil || secret != "" {
		t.Fatalf("%q, %v", secret, err)
	}
	w.happen(w.org, audit.SecretRead, "a")
	w.follow()
	w.deliver()
	got := w.hook.received()
	if len(got) != 1 || webhook.Verify([]byte(own), got[0].header.Get(webhook.HeaderSignature), got[0].body, clocktest.Noon) != nil {
		t.Errorf("%d deliveries, or not signed with it", len(got))
	}
	for name, bad := range map[string]string{"short": own[1:], "long": strings.Repeat("s", 257), "a space": own + " ", "no ASCII": own + "é"} {
		_, _, err := w.service.Create(t.Context(), w.owner, webhook.Spec{URL: w.hook.url, Events: []string{"*"}, Secret: bad})
		if !errors.Is(err, webhook.ErrSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where the appliance may go can change. What leads to where it may no longer go
// can still be switched off, and pointed elsewhere, but not there.
func TestChangesWhereItMayNoLongerGo(t *testing.T) {
	w := newWorld(t)
	sub, _ := w.subscribe("*")
	far := *w.service
	far.CheckURL = check(poster(t))
	off, near, elsewhere := false, sub.URL, "https://hooks.example.com/"
	for _, c := range []struct {
		name   string
		change webhook.Change
		want   error
	}{
		{"off", webhook.Change{Active: &off}, nil},
		{"there again", webhook.Change{URL: &near}, webhook.ErrURL},
		{"elsewhere", webhook.Change{URL: &elsewhere}, nil},
	} {
		before := len(w.records())
		if _, err := far.Update(t.Context(), w.owner, sub.ID, c.change); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(w.records()) != before+1 {
			t.Errorf("%s: not recorded", c.name)
		}
	}
}
