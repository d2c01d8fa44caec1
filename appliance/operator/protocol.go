package operator

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// State is how far a daemon has come. It goes from one to the next, and from
// Draining back to Sealed if it was told to seal.
type State string

// The states.
const (
	Sealed   State = "sealed"   // no key is open; it waits for a credential
	Attested State = "attested" // what it runs on was appraised; keys are being opened
	Unsealed State = "unsealed" // it serves
	Draining State = "draining" // it answers what is under way and lets go of the keys
)

// States are all states, in the order a daemon goes through them.
var States = []State{Sealed, Attested, Unsealed, Draining}

// Status is what a daemon says of itself.
type Status struct {
	State   State     `json:"state"`
	Since   time.Time `json:"since"` // when State began
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	API     string    `json:"api"` // base URL
	// Keys, Module and IsHSM are as /v1/health/hsm has them.
	Keys   string `json:"keys"`
	Module string `json:"module"`
	IsHSM  bool   `json:"is_hsm"`
	// Modules are those of hsm.modules, which keep the keys of some vaults.
	Modules []Module `json:"modules,omitempty"`
	// Measurement is that of the image, in hexadecimal, if it was attested.
	Measurement string `json:"measurement,omitempty"`
	// LastBackup and ProvenRestore are when the state was what the last backup
	// holds, and the last that was restored on trial.
	LastBackup    *time.Time `json:"last_backup,omitempty"`
	ProvenRestore *time.Time `json:"proven_restore,omitempty"`
	// Recovery is about the recovery key; nil unless unsealed.
	Recovery *Recovery `json:"recovery,omitempty"`
	// SharesMissing is how many more people are needed, once one has come.
	SharesMissing int      `json:"shares_missing,omitempty"`
	Notes         []string `json:"notes,omitempty"` // what an operator should know, worst first
}

// Recovery is the recovery key that backups are sealed to, and the last backup that
// such a key opens.
type Recovery struct {
	Key        string     `json:"key,omitempty"` // that is set; "" if none is
	LastKey    string     `json:"last_key,omitempty"`
	LastBackup *time.Time `json:"last_backup,omitempty"`
	Values     uint64     `json:"values"`    // in it, that LastKey opens
	Elsewhere  uint64     `json:"elsewhere"` // that also take another HSM module
	Damaged    uint64     `json:"damaged"`
}

// Module is the state of an HSM module other than the default one.
type Module struct {
	Name   string    `json:"name"`
	Kind   string    `json:"kind"`
	Token  string    `json:"token,omitempty"`
	Status string    `json:"status"` // as /v1/health/hsm words it
	Since  time.Time `json:"since"`
	Error  string    `json:"error,omitempty"`
}

// Kind says what a credential is.
type Kind string

// The kinds.
const (
	PIN         Kind = "pin"        // of the token, or the passphrase of the local module
	Passphrase  Kind = "passphrase" // of the sealed PIN
	Share       Kind = "share"      // of the sealed PIN, one of several that open it together
	UpgradeCode Kind = "code"       // for the first start of the next image
)

// Credential opens the keys. A PIN that is empty means what the configuration
// names, or what this machine can open by itself.
type Credential struct {
	Kind   Kind
	Secret plain.Bytes
}

// Daemon does what is asked over the socket.
type Daemon interface {
	Status() Status
	// Unseal returns when the daemon serves, or has taken a share and needs more. A
	// wrong credential leaves it sealed.
	Unseal(ctx context.Context, who Peer, c Credential) error
	// Seal returns when the daemon has let go of the keys or is about to: all that
	// is left is to end the process.
	Seal(ctx context.Context, who Peer) error
	// Backup writes a backup of the present state to w.
	Backup(ctx context.Context, who Peer, w io.Writer) error
	// Drill restores the backup in a file on trial and returns the receipt, JSON.
	Drill(ctx context.Context, who Peer, path string) (receipt []byte, err error)
	// RotateForwardCA puts another CA in the place of those of the forward proxy, and
	// returns what clients have to trust from now on, PEM.
	RotateForwardCA(ctx context.Context, who Peer) (bundle []byte, err error)
}

// wireCredential is a Credential in a request. It is read into bytes that can
// be wiped, never into a string.
type wireCredential struct {
	Kind   Kind            `json:"kind"`
	Secret json.RawMessage `json:"secret,omitempty"`
}

// problem is an error on the wire, as the API's are (RFC 9457).
type problem struct {
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Code   string     `json:"code"`
	Kind   fault.Kind `json:"kind"`
	Detail string     `json:"detail"`
}

// wireDrill is the request for a drill.
type wireDrill struct {
	Path string `json:"path"`
}

// wireCA is an answer.
type wireCA struct {
	CA string `json:"ca"` // PEM
}

const problemType = "application/problem+json"
