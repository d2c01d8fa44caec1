package people

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Of the device flow (RFC 8628).
const (
	DeviceCodeTTL  = 10 * time.Minute
	DevicePoll     = 5 * time.Second // between two polls
	DeviceTokenTTL = 24 * time.Hour

	pollSlack  = time.Second // clients keep the interval less exactly than networks do
	userCode   = 8           // characters of a user code
	maxClient  = 64          // bytes of a client's name
	codeLetter = "BCDFGHJKLMNPQRSTVWXZ"
)

// PollError says why there is no token yet. The values are those of RFC 8628.
type PollError string

// What a poll may hear. "" means that there is a token.
const (
	PollPending  PollError = "authorization_pending"
	PollSlowDown PollError = "slow_down"
	PollExpired  PollError = "expired_token"
	PollDenied   PollError = "access_denied"
)

// newUserCode is short enough to type: consonants, so that it spells nothing.
func newUserCode() string {
	out := make([]byte, 0, userCode)
	var b [1]byte
	for len(out) < userCode {
		_, _ = rand.Read(b[:])
		if n := int(b[0]); n < 256/len(codeLetter)*len(codeLetter) {
			out = append(out, codeLetter[n%len(codeLetter)])
		}
	}
	return string(out)
}

// FoldUserCode is a user code as it is compared, "" if it cannot be one. People
// type it in any case, with and without the hyphen.
func FoldUserCode(code string) string {
	folded := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if len(folded) != userCode || strings.Trim(folded, codeLetter) != "" {
		return ""
	}
	return folded
}

// ShowUserCode is a folded code as people see it: ABCD-EFGH.
func ShowUserCode(folded string) string { return folded[:userCode/2] + "-" + folded[userCode/2:] }

func (s *Service) deviceHash(code string) []byte { return s.id.HashKey("device " + code) }

// DeviceCodes are handed to a program: the one it polls with, and the one that
// somebody types.
type DeviceCodes struct {
	Device, User string
}

// BeginDevice starts the request of a program to act for somebody.
func (s *Service) BeginDevice(ctx context.Context, client string) (DeviceCodes, error) {
	now := s.now()
	if len(client) > maxClient || checkName(client) != nil || client == "" {
		client = "a program"
	}
	codes := DeviceCodes{Device: strings.TrimPrefix(identity.NewKey(ticketPrefix), ticketPrefix)}
	hash := s.deviceHash(codes.Device)
	err := retry(func() error {
		folded := newUserCode()
		codes.User = ShowUserCode(folded)
		return s.db.Update(ctx, func(tx Tx) error {
			if _, taken, err := tx.DeviceByUserCode(folded); err != nil || taken {
				return firstOf(err, errStale)
			}
			return tx.PutDevice(hash, Device{
				UserCode: folded, Client: client, Status: DevicePending, CreatedAt: now, Expires: now.Add(DeviceCodeTTL),
			})
		})
	})
	if err != nil {
		return DeviceCodes{}, err
	}
	return codes, nil
}

// LookDevice finds a request by its user code. Anybody may look: the code is
// what they were shown.
func (s *Service) LookDevice(ctx context.Context, code string) (d Device, err error) {
	err = s.db.View(ctx, func(tx Tx) (err error) {
		_, d, err = deviceByCode(tx, code)
		return err
	})
	if err == nil && !s.now().Before(d.Expires) {
		d.Status = DeviceExpired
	}
	return d, err
}

func deviceByCode(tx Tx, code string) (hash []byte, d Device, err error) {
	folded := FoldUserCode(code)
	if folded == "" {
		return nil, d, ErrNoDevice
	}
	hash, ok, err := tx.DeviceByUserCode(folded)
	if err == nil && ok {
		d, ok, err = tx.Device(hash)
	}
	if err == nil && !ok {
		err = ErrNoDevice
	}
	return hash, d, err
}

// ApproveDevice lets the program with this user code act for whoever asks.
func (s *Service) ApproveDevice(ctx context.Context, p identity.Principal, code string) error {
	return s.decideDevice(ctx, p, code, DeviceApproved, audit.DeviceApprove)
}

// DenyDevice refuses it.
func (s *Service) DenyDevice(ctx context.Context, p identity.Principal, code string) error {
	return s.decideDevice(ctx, p, code, DeviceDenied, audit.DeviceDeny)
}

func (s *Service) decideDevice(ctx context.Context, p identity.Principal, code string, to DeviceStatus, action audit.Action) error {
	if err := s.peopleOnly(ctx, p, action); err != nil {
		return err
	}
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := s.event(p, action, "user", p.ID)
		hash, d, err := deviceByCode(tx, code)
		why := fault.As(err)
		switch {
		case err != nil && why == nil:
			return nil, err
		case err == nil && !e.Time.Before(d.Expires):
			why = ErrDeviceExpired
		case err == nil && d.Status != DevicePending:
			why = ErrDeviceDecided
		}
		if why != nil {
			return refuse(ctx, tx, e, why, nil)
		}
		e.Details = audit.Details{"client": d.Client}
		d.Status, d.User, d.DecidedAt = to, identity.UserRef{Org: p.Org, User: p.ID}, e.Time
		return nil, firstOf(tx.PutDevice(hash, d), audit.Write(ctx, tx, e))
	})
}

// DeviceGrant is what an approved program gets.
type DeviceGrant struct {
	identity.Token
	User identity.User
}

// PollDevice asks for what became of a request. A token is handed out once; a
// code that is not known has expired, as far as anybody can tell.
func (s *Service) PollDevice(ctx context.Context, code string, peer identity.Peer) (g DeviceGrant, why PollError, err error) {
	hash := s.deviceHash(code)
	approved := false
	err = s.db.Update(ctx, func(tx Tx) (err error) {
		approved, why, err = s.poll(tx, hash)
		return err
	})
	if err != nil || !approved {
		return g, why, err
	}
	var d Device
	err = s.db.View(ctx, func(tx Tx) (err error) {
		if d, approved, err = tx.Device(hash); err == nil && approved {
			g.User, approved, err = tx.User(d.User.Org, d.User.User)
		}
		return err
	})
	if err != nil || !approved || d.DecidedAt.Before(g.User.TokensFrom) {
		// gone, or their password was replaced since: what they approved is void
		return DeviceGrant{}, PollDenied, err
	}
	if g.Token, err = s.id.IssueUser(ctx, g.User, DeviceTokenTTL); err != nil {
		return DeviceGrant{}, "", err
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		d, there, err := tx.Device(hash)
		if err != nil {
			return err
		}
		if why = ""; !there {
			why = PollExpired // another poll was quicker
			return nil
		}
		e := userEvents(g.User, peer, s.now(), audit.AuthSuccess)[0]
		e.Details = audit.Details{"client": d.Client, "device": true}
		return firstOf(tx.DeleteDevice(hash, d), s.claim(tx, g.User), audit.Write(ctx, tx, e))
	})
	if err != nil || why != "" {
		return DeviceGrant{}, why, err
	}
	return g, "", nil
}

// poll notes that a program polled, and says what it hears.
func (s *Service) poll(tx Tx, hash []byte) (approved bool, why PollError, err error) {
	now := s.now()
	d, ok, err := tx.Device(hash)
	switch {
	case err != nil:
		return false, "", err
	case !ok || !now.Before(d.Expires):
		return false, PollExpired, nil
	case d.Status == DeviceDenied:
		return false, PollDenied, nil
	case now.Before(d.PolledAt.Add(DevicePoll - pollSlack)):
		return false, PollSlowDown, nil
	}
	d.PolledAt = now
	return d.Status == DeviceApproved, PollPending, tx.PutDevice(hash, d)
}
