package people

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/site"
)

// Tx is what this package reads and writes. A read of something absent reports
// false, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	identity.Tx
	outbox.Tx
	site.Tx

	DeleteUser(identity.User) error
	DeleteUserEmail(folded string) error
	DeleteAPIKey(user, key id.ID) error
	// Users are the people of org, oldest first; of all if it is zero. (scan)
	Users(org id.ID) ([]identity.User, error)

	// Roster changes whenever the people of org or their roles do: who decided
	// by a scan compares it in the Update.
	Roster(org id.ID) (uint64, error)
	PutRoster(org id.ID, n uint64) error

	Ticket(hash []byte) (Ticket, bool, error)
	PutTicket(hash []byte, t Ticket) error
	DeleteTicket(hash []byte) error

	Invitation(org, invitation id.ID) (Invitation, bool, error)
	PutInvitation(Invitation) error
	DeleteInvitation(Invitation) error
	Invitations(org id.ID) ([]Invitation, error) // (scan) oldest first

	// LoginTries are those of an address, whether or not anybody has it. Zero
	// Tries remove the record.
	LoginTries(folded string) (Tries, error)
	PutLoginTries(folded string, t Tries) error

	MFA(user id.ID) (MFA, bool, error)
	PutMFA(user id.ID, m MFA) error
	DeleteMFA(user id.ID) error

	Device(hash []byte) (Device, bool, error)
	// PutDevice adds or replaces; DeviceByUserCode follows.
	PutDevice(hash []byte, d Device) error
	DeleteDevice(hash []byte, d Device) error
	DeviceByUserCode(folded string) (hash []byte, found bool, err error)

	PutDeparted(Departed) error
	DeleteDeparted(Departed) error
	Departed(limit int) ([]Departed, error) // (scan)

	// ForgetPeople are up to limit removals of what ended before now: tickets,
	// invitations and devices that expired, and tries older than oldTries. Each
	// removal is for an Update and checks again. (scan)
	ForgetPeople(now, oldTries time.Time, limit int) ([]func(Tx) error, error)
}
