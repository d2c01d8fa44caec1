package identity_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Nobody gets in, is refused, or is shut out, unless it can be recorded.
func TestAudit_FailureStopsEverything(t *testing.T) {
	w := newWorld(t)
	_, key := w.owner()
	_, agentKey := w.agent(nil)
	login, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	p := w.admits(login.JWT)
	list, err := w.APIKeys(w.Ctx, p)
	w.OK(err)
	disk := errors.New("no space left on device")
	w.faults.set(disk)
	for name, call := range map[string]func() (string, error){
		"Login":               func() (string, error) { tok, err := w.Login(w.Ctx, email, password, peer); return tok.JWT, err },
		"Login, refused":      func() (string, error) { tok, err := w.Login(w.Ctx, email, "wrong", peer); return tok.JWT, err },
		"ExchangeUserKey":     func() (string, error) { tok, err := w.ExchangeUserKey(w.Ctx, key, peer); return tok.JWT, err },
		"ExchangeUserKey, no": func() (string, error) { tok, err := w.ExchangeUserKey(w.Ctx, "1ck_x", peer); return tok.JWT, err },
		"ExchangeAgentKey": func() (string, error) {
			tok, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, agentKey, peer)
			return tok.JWT, err
		},
		"ExchangeAgentKey, no": func() (string, error) { tok, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, "x", peer); return tok.JWT, err },
		"Authenticate, no":     func() (string, error) { _, err := w.auth("x"); return "", err },
		"Revoke":               func() (string, error) { return "", w.Revoke(w.Ctx, p) },
		"CreateAPIKey": func() (string, error) {
			_, _, err := w.CreateAPIKey(w.Ctx, p, identity.NewAPIKeySpec{Name: "x"})
			return "", err
		},
		"RevokeAPIKey":     func() (string, error) { return "", w.RevokeAPIKey(w.Ctx, p, list[0].ID) },
		"RevokeAPIKey, no": func() (string, error) { return "", w.RevokeAPIKey(w.Ctx, p, id.New()) },
		"CreateOwner":      func() (string, error) { _, _, err := w.CreateOwner(w.Ctx, "b@x.org", password, "B"); return "", err },
	} {
		t.Run(name, func(t *testing.T) {
			w.Logs("", func() {
				token, err := call()
				w.Is(err, disk)
				if token != "" {
					t.Error("a token left without a record")
				}
			})
		})
	}
	w.faults.set(nil)
	w.admits(login.JWT) // not revoked
	w.admits(key)       // nor that
	after, err := w.APIKeys(w.Ctx, p)
	w.OK(err)
	storetest.Equal(t, "keys", len(after), 1)
	_, err = w.Login(w.Ctx, "b@x.org", password, peer)
	w.Is(err, identity.ErrCredentials)
}

// Without keys no token is made, and nothing says that one was.
func TestHSM_OutageDuringExchange(t *testing.T) {
	for name, cut := range map[string]struct {
		fn   func(w *world)
		want error
	}{
		"sealed":      {func(w *world) { _ = w.gate.Close() }, hsm.ErrSealed},
		"unavailable": {func(w *world) { w.gate.Open(broken{}) }, hsm.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, key := w.owner()
			_, agentKey := w.agent(nil)
			token := w.exchange(agentKey).JWT
			cut.fn(w)
			w.Logs("", func() {
				tok, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, agentKey, peer)
				w.Is(err, cut.want)
				storetest.Equal(t, "token", tok.JWT, "")
				ut, err := w.ExchangeUserKey(w.Ctx, key, peer)
				w.Is(err, cut.want)
				storetest.Equal(t, "token", ut, identity.Token{})
				ut, err = w.Login(w.Ctx, email, password, peer)
				w.Is(err, cut.want)
				storetest.Equal(t, "token", ut, identity.Token{})
			})
			// Refusals need no key, nor does checking a token.
			w.Logs("auth.failure refused invalid_credentials", func() {
				_, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, identity.NewKey("ocv_"), peer)
				w.Is(err, identity.ErrCredentials)
			})
			w.admits(token)
		})
	}
}

type broken struct{ hsm.Module }

func (broken) Sign(context.Context, hsm.SigningKey, []byte) ([]byte, error) {
	return nil, hsm.ErrUnavailable
}

func TestSealedStore(t *testing.T) {
	w := newWorld(t)
	_, key := w.owner()
	_, agentKey := w.agent(nil)
	token := w.exchange(agentKey).JWT
	w.admits(token)
	w.Store.Seal()
	for _, bearer := range []string{token, key} { // even one that is remembered
		_, err := w.auth(bearer)
		w.Is(err, store.ErrSealed)
	}
	_, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, agentKey, peer)
	w.Is(err, store.ErrSealed)
}

// Passwords, keys and tokens are in no event, error, log line or file.
func TestU5_Canary(t *testing.T) {
	var logged bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.Level(-100)})))
	t.Cleanup(func() { slog.SetDefault(was) })
	w := newWorld(t)
	const wrong = "CANARY-Wrong-7-password"
	user, userKey := w.owner()
	a, agentKey := w.agent(nil)
	var errs []error
	login, err := w.Login(w.Ctx, email, password, peer)
	errs = append(errs, err)
	_, err = w.Login(w.Ctx, email, wrong, peer)
	errs = append(errs, err)
	_, err = w.Login(w.Ctx, wrong, wrong, peer) // a password typed into the wrong field
	errs = append(errs, err, identity.CheckPasswordRule("CANARY-weak"))
	unknown := identity.NewKey("ocv_")
	_, err = w.ExchangeAgentKey(w.Ctx, a.ID, unknown, peer)
	errs = append(errs, err)
	tok := w.exchange(agentKey)
	_, err = w.auth(tok.JWT + "x")
	errs = append(errs, err)
	_, err = w.auth(userKey[:46] + other(userKey[46]))
	errs = append(errs, err)
	p := w.admits(login.JWT)
	k, made, err := w.CreateAPIKey(w.Ctx, p, identity.NewAPIKeySpec{Name: "x"})
	errs = append(errs, err, w.Revoke(w.Ctx, p))
	_, err = w.auth(login.JWT)
	errs = append(errs, err, w.RevokeAPIKey(w.Ctx, p, k.ID))

	places := w.Leaves(0)
	for _, e := range errs {
		for ; e != nil; e = errors.Unwrap(e) {
			places = append(places, fmt.Appendf(nil, "error: %+v %#v", e, e.Error()))
		}
	}
	list, err := w.APIKeys(w.Ctx, p)
	w.OK(err)
	me, err := w.Me(w.Ctx, p)
	w.OK(err)
	for _, v := range []any{k, list, me, user, a, p, tok.Agent} {
		places = append(places, fmt.Appendf(nil, "%T: %+v %#v", v, v, v))
	}
	file, err := os.ReadFile(w.Store.Config().Path)
	w.OK(err)
	places = append(places, logged.Bytes(), file)
	for name, secret := range map[string]string{
		"password": password, "wrong password": wrong, "weak password": "CANARY-weak", "user key": userKey[12:], "agent key": agentKey[12:],
		"made key": made[12:], "unknown key": unknown[12:], "token": login.JWT[len(login.JWT)-40:], "agent token": tok.JWT[len(tok.JWT)-40:],
	} {
		for _, text := range places {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(hex.EncodeToString([]byte(secret)))) {
				t.Errorf("%s is in %.300q", name, text)
			}
		}
	}
}

// Revoking while others use the token: none gets through once it was answered.
func TestH8_RevokedWhileInUse(t *testing.T) {
	w := newWorld(t)
	_, key := w.agent(nil)
	token := w.exchange(key).JWT
	p := w.admits(token)
	var revoked atomic.Bool
	var wg sync.WaitGroup
	midway := make(chan struct{})
	var uses atomic.Int32
	for range 8 {
		wg.Go(func() {
			for range 300 {
				late := revoked.Load()
				_, err := w.auth(token)
				if err == nil && late {
					t.Error("a revoked token was taken")
				}
				if err != nil && !errors.Is(err, identity.ErrTokenRevoked) {
					t.Error(err)
				}
				if uses.Add(1) == 100 {
					close(midway)
				}
				if late {
					return
				}
			}
		})
	}
	<-midway
	w.OK(w.Revoke(w.Ctx, p))
	revoked.Store(true)
	wg.Wait()
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	_, userKey := w.owner()
	a, key := w.agent(nil)
	w.grant(a, id.New(), "a/**", nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				tok, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, key, peer)
				if err != nil {
					t.Error(err)
					return
				}
				p, err := w.auth(tok.JWT)
				if err != nil || p.ID != a.ID {
					t.Errorf("got %+v, %v", p, err)
				}
				_, err1 := w.auth(userKey)
				if err := errors.Join(err1, w.Revoke(w.Ctx, p), w.FlushActivity(w.Ctx), w.ForgetRevoked(w.Ctx)); err != nil {
					t.Error(err)
				}
				if _, err := w.auth(tok.JWT); !errors.Is(err, identity.ErrTokenRevoked) {
					t.Errorf("after revoking: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
