package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

const (
	recoveryCodes = 8
	setupValid    = time.Hour // from SetUpMFA to ConfirmMFA
)

// foldCode is a code as it is compared: people put spaces and hyphens into it.
func foldCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

func (s *Service) recoveryHash(u identity.User, code string) []byte {
	return s.id.HashKey("recovery " + u.ID.String() + " " + code)
}

// use spends a code of somebody's app, or a recovery code. m itself stays.
func (s *Service) use(u identity.User, m MFA, code string, now time.Time) (next MFA, method string, ok bool) {
	code = foldCode(code)
	if step, ok := totpMatch(m.Secret, code, now, m.LastStep); ok {
		m.LastStep, m.Tries = step, Tries{}
		return m, "totp", true
	}
	h := s.recoveryHash(u, code)
	i := slices.IndexFunc(m.Codes, func(c []byte) bool { return subtle.ConstantTimeCompare(c, h) == 1 })
	if i < 0 {
		return m, "", false
	}
	m.Codes, m.Tries = slices.Delete(slices.Clone(m.Codes), i, i+1), Tries{}
	return m, "recovery_code", true
}

// MFAEnabled reports whether whoever asks has a second factor.
func (s *Service) MFAEnabled(ctx context.Context, p identity.Principal) (on bool, err error) {
	if err := s.peopleOnly(ctx, p, audit.UserRead); err != nil {
		return false, err
	}
	err = s.db.View(ctx, func(tx Tx) error {
		m, _, err := tx.MFA(p.ID)
		on = m.Active
		return err
	})
	return on, err
}

// NewMFA is what goes into an authenticator app.
type NewMFA struct {
	URI    string // otpauth, for a QR code
	Secret string // base32, for typing
}

// SetUpMFA makes a secret, which ConfirmMFA makes the second factor of whoever
// asks.
func (s *Service) SetUpMFA(ctx context.Context, p identity.Principal) (out NewMFA, err error) {
	if err := s.peopleOnly(ctx, p, audit.MFAEnable); err != nil {
		return out, err
	}
	secret := make([]byte, totpSecret)
	_, _ = rand.Read(secret)
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := s.event(p, audit.MFAEnable, "user", p.ID)
		u, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		m, _, err := tx.MFA(p.ID)
		if err != nil || m.Active {
			return refuse(ctx, tx, e, ErrMFAOn, err)
		}
		out = NewMFA{URI: totpURI(secret, u.Email), Secret: base32Text.EncodeToString(secret)}
		m = MFA{Secret: secret, SetUpAt: e.Time, Tries: m.Tries}
		return nil, tx.PutMFA(p.ID, m) // nothing is in force yet, so there is nothing to record
	})
	if err != nil {
		return NewMFA{}, err
	}
	return out, nil
}

// newRecoveryCode has 80 random bits, in four groups.
func newRecoveryCode() string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	t := strings.ToLower(base32Text.EncodeToString(b[:]))
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
}

// ConfirmMFA switches the second factor on, once the app shows right codes, and
// returns the recovery codes this once.
func (s *Service) ConfirmMFA(ctx context.Context, p identity.Principal, code string) (codes []string, err error) {
	if err := s.peopleOnly(ctx, p, audit.MFAEnable); err != nil {
		return nil, err
	}
	fresh := make([]string, recoveryCodes)
	for i := range fresh {
		fresh[i] = newRecoveryCode()
	}
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := s.event(p, audit.MFAEnable, "user", p.ID)
		u, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		m, ok, err := tx.MFA(p.ID)
		if err != nil || m.Active {
			return refuse(ctx, tx, e, ErrMFAOn, err)
		}
		if wait := m.Tries.wait(e.Time); wait > 0 {
			return refuse(ctx, tx, e, ErrSlowDown.After(wait), nil)
		}
		if !ok || e.Time.Sub(m.SetUpAt) >= setupValid {
			return refuse(ctx, tx, e, ErrMFASetup, nil)
		}
		next, _, ok := s.use(u, m, code, e.Time)
		if !ok {
			m.Tries = m.Tries.wrong(e.Time)
			return refuse(ctx, tx, e, ErrMFASetup, tx.PutMFA(p.ID, m))
		}
		next.Active, next.Codes = true, make([][]byte, len(fresh))
		for i, c := range fresh {
			next.Codes[i] = s.recoveryHash(u, foldCode(c))
		}
		return nil, firstOf(tx.PutMFA(p.ID, next), notify(tx, s.mfaChanged(u, true, e.Time)), audit.Write(ctx, tx, e))
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// VerifyMFA completes a sign-in that Login began, with a code of the app or a
// recovery code. Token and code both work once.
func (s *Service) VerifyMFA(ctx context.Context, token, code string, peer identity.Peer) (identity.Token, error) {
	anonymous := peer.Event(audit.MFAVerify, "auth", "token")
	anonymous.Time = s.now()
	first, err := s.id.ProvenMFA(token)
	if errors.Is(err, identity.ErrToken) {
		return identity.Token{}, s.refused(ctx, anonymous, ErrMFACode)
	}
	if err != nil {
		return identity.Token{}, err
	}
	done, err := s.turns.take(ctx, first.User.String())
	if err != nil {
		return identity.Token{}, err
	}
	defer done()
	var u identity.User
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		f, refusal, err := s.secondFactor(ctx, tx, first, code, peer)
		u = f.user
		return refusal, err
	})
	if err != nil {
		return identity.Token{}, err
	}
	// The token is signed before the code is spent, since nothing is signed inside
	// a transaction; whether the code still is good is asked again.
	tok, err := s.id.IssueUser(ctx, u, identity.UserTokenTTL)
	if err != nil {
		return identity.Token{}, err
	}
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		f, refusal, err := s.secondFactor(ctx, tx, first, code, peer)
		if err != nil || refusal != nil {
			return refusal, err
		}
		events := userEvents(f.user, peer, s.now(), audit.MFAVerify, audit.AuthSuccess)
		events[0].Details = audit.Details{"method": f.method}
		return nil, firstOf(tx.PutMFA(u.ID, f.next), tx.PutRevoked(first.Token, first.Expires.UTC()), s.claim(tx, f.user),
			audit.Write(ctx, tx, events[0]), audit.Write(ctx, tx, events[1]))
	})
	if err != nil {
		return identity.Token{}, err
	}
	return tok, nil
}

// factor is a right second factor: of whom, what is left of it, what it was.
type factor struct {
	user   identity.User
	next   MFA
	method string
}

// secondFactor decides whether a code completes the sign-in that first began. It
// counts a wrong one, and spends nothing.
func (s *Service) secondFactor(ctx context.Context, tx Tx, first identity.FirstFactor, code string, peer identity.Peer) (
	f factor, refusal, err error) {
	now := s.now()
	u, there, err := tx.User(first.Org, first.User)
	if err != nil {
		return f, nil, err
	}
	used, err := tx.Revoked(first.Token)
	if err != nil {
		return f, nil, err
	}
	m, _, err := tx.MFA(first.User)
	if err != nil {
		return f, nil, err
	}
	e := peer.Event(audit.MFAVerify, "user", first.User.String())
	if there {
		e = userEvents(u, peer, now, audit.MFAVerify)[0]
	}
	e.Time = now
	var why *fault.Error
	if wait := m.Tries.wait(now); !there || used || !m.Active || first.Issued.Before(u.TokensFrom.Truncate(time.Second)) {
		why = ErrMFACode
	} else if wait > 0 {
		why = ErrSlowDown.After(wait)
	} else if next, method, ok := s.use(u, m, code, now); ok {
		return factor{u, next, method}, nil, nil
	} else {
		why, m.Tries = ErrMFACode, m.Tries.wrong(now)
		err = tx.PutMFA(u.ID, m)
	}
	refusal, err = refuse(ctx, tx, e, why, err)
	return f, refusal, err
}

// DisableMFA switches the second factor off, for a code of it or for the
// password.
func (s *Service) DisableMFA(ctx context.Context, p identity.Principal, code, password string) error {
	if err := s.peopleOnly(ctx, p, audit.MFADisable); err != nil {
		return err
	}
	e := s.event(p, audit.MFADisable, "user", p.ID)
	var u identity.User
	var m MFA
	err := s.db.View(ctx, func(tx Tx) (err error) {
		if u, err = user(tx, p); err == nil {
			m, _, err = tx.MFA(p.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !m.Active {
		return s.refused(ctx, e, ErrMFAOff)
	}
	proved := false
	if code == "" {
		if err := s.provePassword(ctx, u, password, e, ErrMFADisable); err != nil {
			return err
		}
		proved = true
	}
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		m, _, err := tx.MFA(p.ID)
		if err != nil || !m.Active {
			return refuse(ctx, tx, e, ErrMFAOff, err)
		}
		now, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		if proved {
			if !bytes.Equal(passwordStamp(now), passwordStamp(u)) {
				return refuse(ctx, tx, e, ErrMFADisable, nil)
			}
		} else if wait := m.Tries.wait(e.Time); wait > 0 {
			return refuse(ctx, tx, e, ErrSlowDown.After(wait), nil)
		} else if _, _, ok := s.use(now, m, code, e.Time); !ok {
			m.Tries = m.Tries.wrong(e.Time)
			return refuse(ctx, tx, e, ErrMFADisable, tx.PutMFA(p.ID, m))
		}
		return nil, firstOf(tx.DeleteMFA(p.ID), notify(tx, s.mfaChanged(now, false, e.Time)), audit.Write(ctx, tx, e))
	})
}
