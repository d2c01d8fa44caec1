package intents

import (
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
)

// State is how far an intent has got.
type State string

// The states. Those from Confirmed on are final.
const (
	Reserved  State = "reserved"  // admitted: nonce and spend are held, nothing is signed
	Signed    State = "signed"    // the bytes are stored; a node may have seen them
	Broadcast State = "broadcast" // a node took them
	Rejected  State = "rejected"  // no node takes them, but whoever has them may try again

	Confirmed State = "confirmed" // in a block with enough blocks on top
	Reverted  State = "reverted"  // the same, but its execution failed: only gas was spent
	Replaced  State = "replaced"  // another transaction has its nonce
	Released  State = "released"  // given up before it was signed
	Simulated State = "simulated" // its simulation failed, so nothing was reserved
)

// Final reports whether nothing can happen to the intent any more.
func (s State) Final() bool {
	switch s {
	case Confirmed, Reverted, Replaced, Released, Simulated:
		return true
	}
	return false
}

// next lists the states that may follow one.
var next = map[State][]State{
	Reserved:  {Signed, Released}, // which a key that is a secret skips: it signs in the same transaction
	Signed:    {Broadcast, Rejected, Confirmed, Reverted, Replaced},
	Broadcast: {Broadcast, Confirmed, Reverted, Replaced},
	Rejected:  {Broadcast, Confirmed, Reverted, Replaced},
}

// Kind says what an intent is for.
type Kind string

// The kinds.
const (
	Submit   Kind = "submit" // sign and broadcast
	SignOnly Kind = "sign"   // sign; the agent broadcasts
	Filler   Kind = "filler" // fills a gap in an account's nonces, so that those behind it can land
)

// Intent is one transaction from its admission on.
type Intent struct {
	ID    id.ID `json:"id"` // in the order of creation
	Org   id.ID `json:"org"`
	Agent id.ID `json:"agent"`
	Kind  Kind  `json:"kind"`
	State State `json:"state"`

	Chain   string      `json:"chain"` // name at the time
	ChainID uint64      `json:"chain_id"`
	From    evm.Address `json:"from,omitzero"`
	Key     KeyRef      `json:"key,omitzero"`
	Call    evm.Call    `json:"call"`

	// Tries are the signed transactions with the intent's nonce, oldest first:
	// more than one if it was sped up or cancelled. One of them lands at most.
	Nonce uint64 `json:"nonce"`
	Gas   uint64 `json:"gas"`
	Fees  Fees   `json:"fees"` // of the last try
	Tries []Try  `json:"tries,omitempty"`

	// Spends are what is held in windows for it, in the slot of CreatedAt, until
	// it cannot land any more.
	Spends []Spend `json:"spends,omitempty"`

	Repeat     string          `json:"repeat,omitempty"`  // its Idempotency-Key
	Approval   id.ID           `json:"approval,omitzero"` // that it used
	Simulation *SimulationNote `json:"simulation,omitempty"`
	Error      string          `json:"error,omitempty"` // why it failed, in words that may be shown

	Block  *Block `json:"block,omitempty"`   // that it is in, as last seen
	GoneAt uint64 `json:"gone_at,omitempty"` // block at which another transaction was seen to have its nonce

	CreatedAt time.Time `json:"created_at"`
	SignedAt  time.Time `json:"signed_at,omitzero"`
	SettledAt time.Time `json:"settled_at,omitzero"`
}

// Try is one signed transaction.
type Try struct {
	Hash evm.Hash `json:"hash"`
	Raw  []byte   `json:"raw"`
	Fees Fees     `json:"fees"`
	// Cancels: it moves nothing, to take the nonce of the tries before it.
	Cancels bool `json:"cancels,omitempty"`
}

// Fees are what a unit of gas may cost, in wei: GasPrice alone (EIP-155, EIP-2930),
// or MaxFee and Tip (EIP-1559).
type Fees struct {
	GasPrice *evm.Amount `json:"gas_price,omitempty"`
	MaxFee   *evm.Amount `json:"max_fee,omitempty"`
	Tip      *evm.Amount `json:"tip,omitempty"`
}

// Spend is what an intent holds of a limit.
type Spend struct {
	Asset  Asset      `json:"asset"`
	Amount evm.Amount `json:"amount"`
}

// Asset is what is counted: the coin of a chain, or a token on it.
type Asset struct {
	ChainID uint64      `json:"chain_id"`
	Token   evm.Address `json:"token,omitzero"` // zero: the chain's own coin
}

// KeyRef says which key signs: a version of a secret, or a SigningKey in the HSM.
type KeyRef struct {
	Path     string `json:"path,omitempty"`
	Vault    id.ID  `json:"vault,omitzero"`
	Secret   id.ID  `json:"secret,omitzero"`
	Resident id.ID  `json:"resident,omitzero"`
	Version  uint32 `json:"version,omitempty"`
}

// Block is where a transaction was found.
type Block struct {
	Number uint64     `json:"number"`
	Hash   evm.Hash   `json:"hash"`
	Tx     evm.Hash   `json:"tx"` // which try
	Gas    uint64     `json:"gas"`
	Price  evm.Amount `json:"price"` // paid for a unit of gas
	OK     bool       `json:"ok"`    // its execution did not fail
}

// Last is the newest try, or nil.
func (in Intent) Last() *Try {
	if len(in.Tries) == 0 {
		return nil
	}
	return &in.Tries[len(in.Tries)-1]
}

// Contract is the address of the contract that the intent has created, as far as
// its block says.
func (in Intent) Contract() (evm.Address, bool) {
	if in.Call.To != nil || in.Block == nil || !in.Block.OK {
		return evm.Address{}, false
	}
	for _, t := range in.Tries {
		if t.Hash == in.Block.Tx && t.Cancels {
			return evm.Address{}, false
		}
	}
	return in.From.Creates(in.Nonce), true
}

// Unseen reports whether the intent was signed for somebody else to broadcast, and
// its chain shows nothing of it: it may be broadcast in years, or never.
func (in Intent) Unseen() bool {
	return in.Kind == SignOnly && in.State == Signed && in.Block == nil && in.GoneAt == 0
}

// Status is the state in the published words.
func (in Intent) Status() string {
	switch in.State {
	case Reserved:
		return "pending"
	case Signed:
		return "signed"
	case Rejected, Released:
		return "failed"
	case Simulated:
		return "simulation_failed"
	}
	if in.Kind == SignOnly {
		return "signed" // who broadcast it was not the appliance
	}
	return "broadcast"
}

// moved returns in with another state.
func (in Intent) moved(to State, at time.Time) Intent {
	in.State = to
	if to.Final() {
		in.SettledAt = at
	}
	return in
}

// SimulationNote is what is kept of a simulation.
type SimulationNote struct {
	ID     id.ID          `json:"id"`
	Status node.SimStatus `json:"status"`
	// Changes are what it would have done, as far as balances tell.
	Changes []node.Change `json:"changes,omitempty"`
}
