package vault_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// customerKey is a key that a customer keeps.
type customerKey []byte

func newCustomerKey() customerKey {
	k := make(customerKey, 32)
	_, _ = rand.Read(k)
	return k
}

func (k customerKey) fingerprint() string {
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:])
}

func (k customerKey) aead() cipher.AEAD {
	block, err := aes.NewCipher(k)
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

// seal is what clients do: nonce, ciphertext and tag.
func (k customerKey) seal(s string) []byte {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	return k.aead().Seal(nonce, nonce, []byte(s), nil)
}

// published is how the TypeScript SDK writes a value, bare how the Go SDK does.
func (k customerKey) published(s string) string {
	return base64.StdEncoding.EncodeToString(append([]byte{1}, k.seal(s)...))
}

func (k customerKey) bare(s string) string { return hex.EncodeToString(k.seal(s)) }

func (k customerKey) openRaw(raw []byte, err error) string {
	if err != nil || len(raw) < 12 {
		return "not a blob"
	}
	out, err := k.aead().Open(nil, raw[:12], raw[12:], nil)
	if err != nil {
		return "not under this key"
	}
	return string(out)
}

func (k customerKey) openPublished(s string) string {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) == 0 || raw[0] != 1 {
		return "not the published form"
	}
	return k.openRaw(raw[1:], nil)
}

func (k customerKey) openBare(s string) string { return k.openRaw(hex.DecodeString(s)) }

// line writes values with a blank between each two.
func line(v ...any) string { return strings.TrimSpace(fmt.Sprintln(v...)) }

func change(from, to customerKey) vault.CMEKChange {
	return vault.CMEKChange{
		Old: plain.New(bytes.Clone(from)), New: plain.New(bytes.Clone(to)), NewFingerprint: to.fingerprint(),
	}
}

// enabled is a world whose vault is under a customer's key.
func enabled(t *testing.T) (*world, customerKey, customerKey) {
	t.Helper()
	w, from, to := newWorld(t), newCustomerKey(), newCustomerKey()
	t.Cleanup(w.StopRotations)
	w.enable(from)
	return w, from, to
}

func (w *world) enable(k customerKey) {
	w.Helper()
	_, err := w.EnableCMEK(w.Ctx, w.alice, w.v.ID, k.fingerprint())
	w.OK(err)
}

// rotates starts a rotation and waits for its end.
func (w *world) rotates(from, to customerKey) vault.CMEKJob {
	w.Helper()
	job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.OK(err)
	return w.ended(job.ID)
}

func (w *world) ended(job id.ID) vault.CMEKJob {
	w.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		j, err := w.CMEKJob(w.Ctx, w.alice, w.v.ID, job)
		w.OK(err)
		if j.Status != vault.CMEKRunning {
			return j
		}
	}
	w.Fatal("the rotation does not end")
	return vault.CMEKJob{}
}

func (w *world) secret(path string) (sec vault.Secret) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) (err error) {
		sec, _, err = tx.Secret(w.v.ID, w.path(path))
		return err
	})
	return sec
}

func (w *world) vaultNow() vault.Vault {
	w.Helper()
	v, err := w.Vault(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	return v
}

func TestK3_EnableAndDisable(t *testing.T) {
	w := newWorld(t)
	k, other := newCustomerKey(), newCustomerKey()
	for _, bad := range []string{"", "abc", k.fingerprint() + "0", strings.Repeat("g", 64), k.fingerprint()[:62]} {
		_, err := w.EnableCMEK(w.Ctx, w.alice, w.v.ID, bad)
		w.Is(err, vault.ErrFingerprint)
	}
	w.Logs("cmek.disable refused cmek_not_enabled", func() {
		_, err := w.DisableCMEK(w.Ctx, w.alice, w.v.ID)
		w.Is(err, vault.ErrCMEKOff)
	})
	e := w.Logs("cmek.enable success", func() {
		v, err := w.EnableCMEK(w.Ctx, w.alice, w.v.ID, strings.ToUpper(k.fingerprint()))
		w.OK(err)
		storetest.Equal(t, "fingerprint", v.CMEKFingerprint, k.fingerprint())
	})
	storetest.Equal(t, "recorded", e[0].Details["fingerprint"], k.fingerprint())
	w.enable(k) // again
	w.Logs("cmek.enable refused cmek_already_enabled", func() {
		_, err := w.EnableCMEK(w.Ctx, w.alice, w.v.ID, other.fingerprint())
		w.Is(err, vault.ErrCMEKOn)
	})
	w.Logs("cmek.disable success", func() {
		v, err := w.DisableCMEK(w.Ctx, w.owner, w.v.ID)
		w.OK(err)
		storetest.Equal(t, "off", v.CMEKFingerprint, "")
	})
	w.enable(other)
}

func TestK3_WhoMay(t *testing.T) {
	w := newWorld(t)
	k, to := newCustomerKey(), newCustomerKey()
	eve, bot := w.user(w.org, identity.RoleMember), w.agent("**")
	stranger := w.user(id.New(), identity.RoleOwner)
	w.grant(eve, "**", "read", "write", "delete")
	w.grant(bot, "**", "read", "write", "delete")
	job := func(p identity.Principal) error {
		_, err := w.RotateCMEK(w.Ctx, p, w.v.ID, change(k, to))
		return err
	}
	for name, c := range map[string]struct {
		p    identity.Principal
		want error
	}{
		"a member with every right":            {eve, vault.ErrDenied},
		"an agent with every right":            {bot, vault.ErrDenied},
		"an owner of another organisation":     {stranger, vault.ErrVaultNotFound},
		"another member":                       {w.user(w.org, identity.RoleMember), vault.ErrDenied},
		"the one who made it":                  {w.alice, nil},
		"one who manages the organisation":     {w.owner, nil},
		"another who manages the organisation": {w.user(w.org, identity.RoleAdmin), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.EnableCMEK(w.Ctx, c.p, w.v.ID, k.fingerprint())
			w.Is(err, c.want)
			if c.want != nil {
				w.Is(job(c.p), c.want)
				_, err = w.CMEKJob(w.Ctx, c.p, w.v.ID, id.New())
				w.Is(err, c.want)
				_, err = w.DisableCMEK(w.Ctx, c.p, w.v.ID)
				w.Is(err, c.want)
				return
			}
			_, err = w.CMEKJob(w.Ctx, c.p, w.v.ID, id.New())
			w.Is(err, vault.ErrCMEKNoJob)
			_, err = w.DisableCMEK(w.Ctx, c.p, w.v.ID)
			w.OK(err)
		})
	}
	own := w.vault(bot, "the bot's")
	_, err := w.EnableCMEK(w.Ctx, bot, own.ID, k.fingerprint())
	w.OK(err)

	d, err := w.SealAgentKeys(w.Ctx, w.owner, someAgent, map[vault.SecretPath]plain.Bytes{w.path("agents/a"): plain.FromString("k")})
	w.OK(err)
	w.Commit(func(tx *store.Tx) error { _, err := d.Store(w.Ctx, tx, w.owner); return err })
	all, err := w.Vaults(w.Ctx, w.owner)
	w.OK(err)
	for _, v := range all {
		if v.Name == vault.AgentKeysName {
			_, err = w.EnableCMEK(w.Ctx, w.owner, v.ID, k.fingerprint())
			w.Is(err, vault.ErrDenied)
		}
	}
}

func TestK4_TheMarkIsOfTheVersion(t *testing.T) {
	w := newWorld(t)
	k := newCustomerKey()
	w.put("a", "in clear")
	w.enable(k)
	storetest.Equal(t, "before", w.secret("a").Latest.CMEKFingerprint, "")
	w.put("b", k.published("x"))
	_, err := w.DisableCMEK(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "after it was turned off", w.secret("b").Latest.CMEKFingerprint, k.fingerprint())
	w.put("b", "in clear")
	storetest.Equal(t, "written since", w.secret("b").Latest.CMEKFingerprint, "")
	_, v, _, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("b"), 1)
	w.OK(err)
	storetest.Equal(t, "the older version", v.CMEKFingerprint, k.fingerprint())
}

func TestK5_WhatIsRefused(t *testing.T) {
	w, from, to := enabled(t)
	third := newCustomerKey()
	with := func(edit func(c *vault.CMEKChange)) vault.CMEKChange {
		c := change(from, to)
		edit(&c)
		return c
	}
	w.unchanged(func() {
		for name, c := range map[string]struct {
			c    vault.CMEKChange
			want error
			logs string
		}{
			"another old key":       {change(third, to), vault.ErrCMEKOldKey, "cmek.rotate refused cmek_old_key_mismatch"},
			"another new key":       {with(func(c *vault.CMEKChange) { c.NewFingerprint = third.fingerprint() }), vault.ErrCMEKNewKey, ""},
			"no fingerprint":        {with(func(c *vault.CMEKChange) { c.NewFingerprint = "" }), vault.ErrFingerprint, ""},
			"a short old key":       {with(func(c *vault.CMEKChange) { c.Old = plain.New(make([]byte, 16)) }), vault.ErrCMEKKey, ""},
			"a long new key":        {with(func(c *vault.CMEKChange) { c.New = plain.New(make([]byte, 33)) }), vault.ErrCMEKKey, ""},
			"the same key":          {change(from, from), vault.ErrCMEKSameKey, ""},
			"the keys interchanged": {change(to, from), vault.ErrCMEKOldKey, "cmek.rotate refused cmek_old_key_mismatch"},
		} {
			t.Run(name, func(t *testing.T) {
				w.Logs(c.logs, func() {
					_, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, c.c)
					w.Is(err, c.want)
				})
			})
		}
	})
	_, err := w.CMEKJob(w.Ctx, w.alice, w.v.ID, id.New())
	w.Is(err, vault.ErrCMEKNoJob)
	_, err = w.DisableCMEK(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	_, err = w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.Is(err, vault.ErrCMEKOff)
}

func TestK5_TheKeysAreWiped(t *testing.T) {
	w, from, to := enabled(t)
	for _, c := range []vault.CMEKChange{change(from, to), change(to, from), {Old: plain.FromString("short"), New: plain.FromString("short")}} {
		_, _ = w.RotateCMEK(w.Ctx, w.alice, w.v.ID, c)
		storetest.Equal(t, "what is left", strings.Trim(string(c.Old.Reveal())+string(c.New.Reveal()), "\x00"), "")
	}
}

func TestK5_NothingToDo(t *testing.T) {
	w, from, to := enabled(t)
	var job vault.CMEKJob
	e := w.Logs("cmek.rotate success", func() {
		var err error
		job, err = w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
		w.OK(err)
	})
	storetest.Equal(t, "status", job.Status, vault.CMEKCompleted)
	storetest.Equal(t, "recorded", e[0].Details["status"], "completed")
	storetest.Equal(t, "the vault's", w.vaultNow().CMEKFingerprint, to.fingerprint())
	storetest.Equal(t, "on record", w.ended(job.ID).Status, vault.CMEKCompleted)
}

// Each secret is rotated in its own form, in place, and nothing else is
// touched.
func TestK5_InPlace(t *testing.T) {
	w, from, to := enabled(t)
	w.put("published", from.published("older"))
	w.putAs(w.alice, "published", vault.NewVersion{
		Value: plain.FromString(from.published("v1")), Metadata: []byte(`{"a":1}`), MaxAccess: new(int64(9)), Type: "password",
	})
	w.put("bare", from.bare("v2"))
	w.put("upper", strings.ToUpper(from.bare("v3")))
	w.put("empty", from.published(""))
	w.put("ahead", to.published("v4")) // a client that has the new key already
	w.put("deleted", "not even a blob")
	w.OK(w.Delete(w.Ctx, w.alice, w.v.ID, w.path("deleted")))
	w.put("disabled", "not even a blob")
	_, _, err := w.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("disabled"), 1)
	w.OK(err)
	_, err = w.DisableCMEK(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	w.put("clear", "never encrypted")
	w.enable(from)
	first, err := w.read(w.alice, "published") // one of nine
	w.OK(err)
	before := w.secret("published")

	var job vault.CMEKJob
	e := w.Logs("cmek.rotate success; cmek.rotate success", func() { job = w.rotates(from, to) })
	storetest.Equal(t, "job", line(job.Status, job.Total, job.Processed, job.Error), "completed 5 5")
	storetest.Equal(t, "started with", line(e[0].Details["status"], e[0].Details["total_secrets"], e[0].Details["processed"]), "running 5 0")
	storetest.Equal(t, "ended with", line(e[1].Details["status"], e[1].Details["total_secrets"], e[1].Details["processed"]), "completed 5 5")
	storetest.Equal(t, "the vault's", w.vaultNow().CMEKFingerprint, to.fingerprint())

	after := w.secret("published")
	storetest.Equal(t, "marked", after.Latest.CMEKFingerprint, to.fingerprint())
	after.Latest.CMEKFingerprint = before.Latest.CMEKFingerprint
	storetest.Equal(t, "all else of the version", fmt.Sprintf("%+v", after), fmt.Sprintf("%+v", before))
	got := func(path string) string { s, err := w.read(w.alice, path); w.OK(err); return s }
	if again := got("published"); again == first || to.openPublished(again) != "v1" {
		t.Error("published:", to.openPublished(again))
	}
	storetest.Equal(t, "bare", to.openBare(got("bare")), "v2")
	storetest.Equal(t, "upper", to.openBare(got("upper")), "v3")
	storetest.Equal(t, "empty", to.openPublished(got("empty")), "")
	storetest.Equal(t, "ahead", to.openPublished(got("ahead")), "v4")
	storetest.Equal(t, "clear", got("clear"), "never encrypted")
	storetest.Equal(t, "reads are counted on", w.secret("published").Latest.Reads, 2)
	_, old, value, err := w.ReadVersion(w.Ctx, w.alice, w.v.ID, w.path("published"), 1)
	w.OK(err)
	storetest.Equal(t, "older versions stay", from.openPublished(string(value.Reveal())), "older")
	storetest.Equal(t, "and their marks", old.CMEKFingerprint, from.fingerprint())

	storetest.Equal(t, "and back", w.rotates(to, from).Status, vault.CMEKCompleted)
	storetest.Equal(t, "bare", from.openBare(got("bare")), "v2")
}

func TestK5_AnItemThatCannotBeDecrypted(t *testing.T) {
	const canary = "CANARY-in-clear"
	w, from, to := enabled(t)
	w.put("a/good", from.published("v"))
	w.put("b/bad", canary)
	w.put("c/good", from.bare("v"))
	var job vault.CMEKJob
	e := w.Logs("cmek.rotate success; cmek.rotate failed cmek_undecryptable", func() { job = w.rotates(from, to) })
	storetest.Equal(t, "status", job.Status, vault.CMEKFailed)
	storetest.Equal(t, "counts", line(job.Total, job.Processed), "3 1")
	if !strings.Contains(job.Error, "b/bad") || strings.Contains(job.Error, canary) {
		t.Errorf("error: %s", job.Error)
	}
	if text := fmt.Sprint(e); strings.Contains(text, canary) {
		t.Error(text)
	}
	storetest.Equal(t, "the vault's", w.vaultNow().CMEKFingerprint, from.fingerprint())
	storetest.Equal(t, "of the one before", w.secret("a/good").Latest.CMEKFingerprint, to.fingerprint())

	w.put("b/bad", from.published("mended"))
	job = w.rotates(from, to)
	storetest.Equal(t, "taken up", line(job.Status, job.Total, job.Processed), "completed 3 3")
	for _, path := range []string{"a/good", "b/bad", "c/good"} {
		storetest.Equal(t, path, w.secret(path).Latest.CMEKFingerprint, to.fingerprint())
	}
}
