package operator

import (
	"context"
	"encoding/json"
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
	API     string    `json:"api"`             // base URL
	Notes   []string  `json:"notes,omitempty"` // what an operator should know, worst first
}

// Credential opens the keys. All empty: what the configuration names is used.
type Credential struct {
	// PIN of the token, or passphrase of the local module.
	PIN plain.Bytes
}

// Daemon does what is asked over the socket.
type Daemon interface {
	Status() Status
	// Unseal returns when the daemon serves. A wrong credential leaves it sealed.
	Unseal(ctx context.Context, who Peer, c Credential) error
	// Seal returns when the daemon has let go of the keys or is about to: all that
	// is left is to end the process.
	Seal(ctx context.Context, who Peer) error
}

// wireCredential is a Credential in a request. It is read into bytes that can
// be wiped, never into a string.
type wireCredential struct {
	PIN json.RawMessage `json:"pin,omitempty"`
}

// problem is an error on the wire, as the API's are (RFC 9457).
type problem struct {
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Code   string     `json:"code"`
	Kind   fault.Kind `json:"kind"`
	Detail string     `json:"detail"`
}

const problemType = "application/problem+json"
