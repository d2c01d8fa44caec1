package store

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
)

// The tables of vault/people. What was mailed or handed out is in keys as the
// HMAC that its service made, what people type as a Name.
var (
	rosters     = table[uint64]{name: "roster", version: 1}
	tickets     = table[people.Ticket]{name: "ticket", version: 1}
	invitations = table[people.Invitation]{name: "invitation", version: 1}
	loginTries  = table[loginTry]{name: "login-tries", version: 1}
	mfas        = table[people.MFA]{name: "mfa", version: 1}
	devices     = table[people.Device]{name: "device", version: 1}
	deviceCodes = rawTable{name: "device-code"}
	departed    = table[people.Departed]{name: "departed", version: 1}
)

// loginTry is the record of an address; the key is its Name.
type loginTry struct {
	Account string       `json:"account"`
	Tries   people.Tries `json:"tries"`
}

var _ people.Tx = (*Tx)(nil)

// DeleteUser implements people.Tx.
func (t *Tx) DeleteUser(u identity.User) error { return users.delete(t, pair(u.Org, u.ID)) }

// DeleteUserEmail implements people.Tx.
func (t *Tx) DeleteUserEmail(folded string) error {
	n := t.name("e-mail", folded)
	return userEmails.delete(t, n[:])
}

// DeleteAPIKey implements people.Tx.
func (t *Tx) DeleteAPIKey(user, key id.ID) error { return apiKeys.delete(t, pair(user, key)) }

// Users implements people.Tx.
func (t *Tx) Users(org id.ID) ([]identity.User, error) {
	if org.IsZero() {
		return collect(t, users, nil)
	}
	return collect(t, users, org[:])
}

// Roster implements people.Tx.
func (t *Tx) Roster(org id.ID) (uint64, error) {
	n, _, err := rosters.get(t, org[:])
	return n, err
}

// PutRoster implements people.Tx.
func (t *Tx) PutRoster(org id.ID, n uint64) error { return rosters.put(t, org[:], n) }

// Ticket implements people.Tx.
func (t *Tx) Ticket(hash []byte) (people.Ticket, bool, error) { return tickets.get(t, hash) }

// PutTicket implements people.Tx.
func (t *Tx) PutTicket(hash []byte, k people.Ticket) error { return tickets.put(t, hash, k) }

// DeleteTicket implements people.Tx.
func (t *Tx) DeleteTicket(hash []byte) error { return tickets.delete(t, hash) }

// Invitation implements people.Tx.
func (t *Tx) Invitation(org, invitation id.ID) (people.Invitation, bool, error) {
	return invitations.get(t, pair(org, invitation))
}

// PutInvitation implements people.Tx.
func (t *Tx) PutInvitation(i people.Invitation) error {
	return invitations.put(t, pair(i.Org, i.ID), i)
}

// DeleteInvitation implements people.Tx.
func (t *Tx) DeleteInvitation(i people.Invitation) error {
	return invitations.delete(t, pair(i.Org, i.ID))
}

// Invitations implements people.Tx.
func (t *Tx) Invitations(org id.ID) ([]people.Invitation, error) {
	return collect(t, invitations, org[:])
}

// LoginTries implements people.Tx.
func (t *Tx) LoginTries(folded string) (people.Tries, error) {
	n := t.name("login", folded)
	r, _, err := loginTries.get(t, n[:])
	return r.Tries, err
}

// PutLoginTries implements people.Tx.
func (t *Tx) PutLoginTries(folded string, tries people.Tries) error {
	n := t.name("login", folded)
	if tries == (people.Tries{}) {
		return loginTries.delete(t, n[:])
	}
	return loginTries.put(t, n[:], loginTry{folded, tries})
}

// MFA implements people.Tx.
func (t *Tx) MFA(user id.ID) (people.MFA, bool, error) { return mfas.get(t, user[:]) }

// PutMFA implements people.Tx.
func (t *Tx) PutMFA(user id.ID, m people.MFA) error { return mfas.put(t, user[:], m) }

// DeleteMFA implements people.Tx.
func (t *Tx) DeleteMFA(user id.ID) error { return mfas.delete(t, user[:]) }

// Device implements people.Tx.
func (t *Tx) Device(hash []byte) (people.Device, bool, error) { return devices.get(t, hash) }

// PutDevice implements people.Tx.
func (t *Tx) PutDevice(hash []byte, d people.Device) error {
	n := t.name("device", d.UserCode)
	if err := deviceCodes.put(t, n[:], hash); err != nil {
		return err
	}
	return devices.put(t, hash, d)
}

// DeleteDevice implements people.Tx.
func (t *Tx) DeleteDevice(hash []byte, d people.Device) error {
	n := t.name("device", d.UserCode)
	if err := deviceCodes.delete(t, n[:]); err != nil {
		return err
	}
	return devices.delete(t, hash)
}

// DeviceByUserCode implements people.Tx.
func (t *Tx) DeviceByUserCode(folded string) ([]byte, bool, error) {
	n := t.name("device", folded)
	return deviceCodes.get(t, n[:])
}

// PutDeparted implements people.Tx.
func (t *Tx) PutDeparted(d people.Departed) error { return departed.put(t, pair(d.Org, d.User), d) }

// DeleteDeparted implements people.Tx.
func (t *Tx) DeleteDeparted(d people.Departed) error { return departed.delete(t, pair(d.Org, d.User)) }

// Departed implements people.Tx.
func (t *Tx) Departed(limit int) (out []people.Departed, err error) {
	err = departed.scan(t, page{Limit: limit}, func(_ []byte, d people.Departed) error {
		out = append(out, d)
		return nil
	})
	return out, err
}

// ForgetPeople implements people.Tx.
func (t *Tx) ForgetPeople(now, oldTries time.Time, limit int) (out []func(people.Tx) error, err error) {
	err = ended(t, tickets, &out, limit, func(k people.Ticket) bool { return !now.Before(k.Expires) }, (*Tx).dropTicket)
	if err == nil {
		err = ended(t, invitations, &out, limit, func(i people.Invitation) bool { return !now.Before(i.Expires) }, (*Tx).dropInvitation)
	}
	if err == nil {
		err = ended(t, devices, &out, limit, func(d people.Device) bool { return !now.Before(d.Expires) }, (*Tx).DeleteDevice)
	}
	if err == nil {
		err = ended(t, loginTries, &out, limit, func(l loginTry) bool { return l.Tries.Last.Before(oldTries) }, (*Tx).dropTries)
	}
	return out, err
}

func (t *Tx) dropTicket(key []byte, _ people.Ticket) error { return tickets.delete(t, key) }

func (t *Tx) dropInvitation(_ []byte, i people.Invitation) error { return t.DeleteInvitation(i) }

func (t *Tx) dropTries(key []byte, _ loginTry) error { return loginTries.delete(t, key) }

// ended adds removals of the records of a table that have ended, and still have
// when they are removed.
func ended[V any](t *Tx, tb table[V], out *[]func(people.Tx) error, limit int, over func(V) bool, drop func(*Tx, []byte, V) error) error {
	return tb.scan(t, page{}, func(key []byte, v V) error {
		if len(*out) >= limit {
			return errStop
		}
		if !over(v) {
			return nil
		}
		key = append([]byte{}, key...)
		*out = append(*out, func(tx people.Tx) error {
			t := tx.(*Tx)
			if v, ok, err := tb.get(t, key); err != nil || !ok || !over(v) {
				return err
			}
			return drop(t, key, v)
		})
		return nil
	})
}
