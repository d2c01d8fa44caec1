package people

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// TicketKind says what a mailed token is good for.
type TicketKind string

// The kinds of tickets.
const (
	TicketSignup TicketKind = "signup"
	TicketReset  TicketKind = "reset"
	TicketInvite TicketKind = "invite"
)

// Ticket is what a mailed token buys. It is found by the token's hash.
type Ticket struct {
	Kind    TicketKind `json:"kind"`
	Expires time.Time  `json:"expires"`

	// Of a signup: the account as it will be.
	Email        string `json:"email,omitempty"`
	DisplayName  string `json:"display_name,omitempty"`
	PasswordHash string `json:"password_hash,omitempty"`

	// Of a reset: whose password, and what it was. A ticket dies with the
	// password it was to replace.
	User identity.UserRef `json:"user,omitzero"`
	Was  []byte           `json:"was,omitempty"`

	// Of an invitation.
	Org        id.ID `json:"org,omitzero"`
	Invitation id.ID `json:"invitation,omitzero"`
}

// Invitation is an offer to join an organisation that waits for an answer.
type Invitation struct {
	ID        id.ID         `json:"id"`
	Org       id.ID         `json:"org"`
	Email     string        `json:"email"`
	Role      identity.Role `json:"role"`
	InvitedBy id.ID         `json:"invited_by"` // who must still be allowed to invite when it is accepted
	CreatedAt time.Time     `json:"created_at"`
	Expires   time.Time     `json:"expires"`
	TokenHash []byte        `json:"token_hash"` // finds the Ticket
}

// MFA is somebody's second factor.
type MFA struct {
	Secret   []byte    `json:"secret"`
	Active   bool      `json:"active"`    // false: set up, but not confirmed
	SetUpAt  time.Time `json:"set_up_at"` //
	LastStep int64     `json:"last_step"` // the newest step whose code was used
	Codes    [][]byte  `json:"codes"`     // hashes of the recovery codes that are left
	Tries    Tries     `json:"tries,omitzero"`
}

// Tries counts what was wrong lately.
type Tries struct {
	Wrong int       `json:"wrong"`
	Last  time.Time `json:"last"`
}

// DeviceStatus says how far a device's request got.
type DeviceStatus string

// What becomes of a device's request. DeviceExpired is never kept.
const (
	DevicePending  DeviceStatus = "pending"
	DeviceApproved DeviceStatus = "approved"
	DeviceDenied   DeviceStatus = "denied"
	DeviceExpired  DeviceStatus = "expired"
)

// Device is a request of a program, on a machine without its owner's password,
// to act for somebody. It is found by the hash of its device code, and by its
// user code.
type Device struct {
	UserCode  string           `json:"user_code"` // folded
	Client    string           `json:"client"`
	Status    DeviceStatus     `json:"status"`
	User      identity.UserRef `json:"user,omitzero"` // who decided
	DecidedAt time.Time        `json:"decided_at,omitzero"`
	CreatedAt time.Time        `json:"created_at"`
	Expires   time.Time        `json:"expires"`
	PolledAt  time.Time        `json:"polled_at,omitzero"` // by a poll that did not come too soon
}

// Departed is somebody whose account is gone, until what it left is cleared up:
// keys and invitations, which are dead already, the mark of who registered an
// agent, shares.
type Departed struct {
	Org  id.ID     `json:"org"`
	User id.ID     `json:"user"`
	At   time.Time `json:"at"`
	// Deserted says that nobody is left in the organisation: its agents must
	// not go on without anybody who could stop them.
	Deserted bool `json:"deserted,omitempty"`
}
