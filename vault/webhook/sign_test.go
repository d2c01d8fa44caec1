package webhook

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// The scheme is frozen: receivers have it in their code.
func TestSignVector(t *testing.T) {
	const want = "t=1772452800,v1=4a29ad0c8f893aace796a9c65a9df2539d6e4fac01bca964b6ec9c927aa6f1e4"
	got := Sign([]byte("whsec_test"), time.Unix(1772452800, 0), []byte(`{"id":"x"}`))
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	secret, body, at := []byte("whsec_test"), []byte("body"), time.Unix(1772452800, 0)
	good := Sign(secret, at, body)
	sum := good[strings.Index(good, "v1="):]
	for _, c := range []struct {
		name, header string
		secret, body string
		now          time.Time
		ok           bool
	}{
		{"as sent", good, "whsec_test", "body", at, true},
		{"a little late", good, "whsec_test", "body", at.Add(Tolerance), true},
		{"a clock that is behind", good, "whsec_test", "body", at.Add(-Tolerance), true},
		{"replayed", good, "whsec_test", "body", at.Add(Tolerance + time.Second), false},
		{"another body", good, "whsec_test", "bodi", at, false},
		{"another secret", good, "whsec_other", "body", at, false},
		{"a new time", "t=1772452801," + sum, "whsec_test", "body", at, false},
		{"two times", "t=1772452800,t=1772452801," + sum, "whsec_test", "body", at, false},
		{"a time in other words", "t=+1772452800," + sum, "whsec_test", "body", at, false},
		{"no time", sum, "whsec_test", "body", at, false},
		{"no sum", "t=1772452800", "whsec_test", "body", at, false},
		{"cut", good[:len(good)-2], "whsec_test", "body", at, false},
		{"not hex", good + "zz", "whsec_test", "body", at, false},
		{"nothing", "", "whsec_test", "body", at, false},
		{"during a change of keys", good + ",v1=" + strings.Repeat("00", 32), "whsec_test", "body", at, true},
		{"with a newer scheme", "v2=zz, " + good, "whsec_test", "body", at, true},
	} {
		err := Verify([]byte(c.secret), c.header, []byte(c.body), c.now)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	secret, at := []byte("whsec_test"), time.Unix(1772452800, 0)
	f.Add(Sign(secret, at, []byte("body")), []byte("body"))
	f.Add("t=1,v1=00,t=", []byte(nil))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Verify(secret, header, body, at) == nil && !strings.Contains(header, Sign(secret, at, body)[len("t=1772452800,v1="):]) &&
			!strings.Contains(strings.ToLower(header), "v1=") {
			t.Errorf("%q is taken", header)
		}
		if err := Verify(secret, Sign(secret, at, body), body, at); err != nil {
			t.Errorf("what is signed is not taken: %v", err)
		}
		if Verify([]byte("another"), header, body, at) == nil && Verify(secret, header, body, at) == nil {
			t.Errorf("%q fits two secrets", header)
		}
	})
}

func TestEvents(t *testing.T) {
	for wanted, ok := range map[string]bool{
		"*": true, "secret.read": true, "secret.*": true, "share.*": true, "share.access": true, "agent.rotate_key": true,
		"auth.failure": true, "shroud.*": true, "transaction.submit": true,
		"": false, "secret": false, "secret.": false, "share.": false, "vault.create": false, "auth.success": false, "auth.*": true,
		"share.*.x": false, "**": false, "Secret.read": false, "share.a b": false, ".*": false, "share..x": false,
	} {
		if known(wanted) != ok {
			t.Errorf("%q: %v", wanted, !ok)
		}
	}
	for action, event := range map[string]string{
		"secret.read": "secret.read", "secret.rotate": "secret.write", "secret.list": "", "share.create": "share.create",
		"agent.register": "agent.register", "auth.success": "", "auth.failure": "auth.failure", "webhook.create": "",
		"outbox.read": "", "vault.create": "", "transaction.submit": "transaction.submit",
	} {
		if got := eventOf(audit.Action(action)); got != event {
			t.Errorf("%s is %q outside", action, got)
		}
	}
}
