package node

import (
	"errors"
	"fmt"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// What can be wrong with a chain. The cause says which node, without what is
// secret in its URL.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "chain_unavailable", "No node of the chain answers")
	ErrWrongChain  = fault.New(fault.Unavailable, "wrong_chain", "The node is one of another chain")
	ErrReverted    = fault.New(fault.Unprocessable, "execution_reverted", "The call would be reverted")
	ErrRefused     = fault.New(fault.Unprocessable, "refused_by_node", "The node refuses the call")
	ErrConfig      = fault.New(fault.Invalid, "invalid_nodes", "A chain has an id, and nodes with URLs of http or https")
)

// Revert says that a call would be reverted, and why.
type Revert struct {
	Reason string // printable; the contract's words
	Kind   evm.RevertKind
	Data   []byte
}

// Error implements error.
func (r *Revert) Error() string { return "reverted: " + r.Reason }

// Unwrap makes it an ErrReverted that says the reason.
func (r *Revert) Unwrap() error {
	return ErrReverted.Detail("The call would be reverted: %s", r.Reason)
}

// failure says that a node gave no answer, or none that makes sense: another one
// is asked.
type failure struct {
	node string
	why  error
}

func (f *failure) Error() string { return f.node + ": " + f.why.Error() }
func (f *failure) Unwrap() error { return f.why }

// foreign says that a node is of another chain.
type foreign struct{ has, want uint64 }

func (f foreign) Error() string {
	return fmt.Sprintf("its chain has the id %d, and it is configured for %d", f.has, f.want)
}

// refusal is an answer: an error that the node decided on.
type refusal struct {
	node    string
	code    int
	message string // printable
	data    []byte // JSON
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: error %d: %s", r.node, r.code, r.message) }
func (r *refusal) Unwrap() error {
	return ErrRefused.Detail("The node refuses the call: %s", r.message)
}

// unavailable makes one error of those of all nodes.
func unavailable(chain uint64, errs []error) *fault.Error {
	joined := errors.Join(errs...)
	var f foreign
	if errors.As(joined, &f) {
		return ErrWrongChain.Detail("No node of chain %d answers, and one is of chain %d", chain, f.has).Because(joined)
	}
	return ErrUnavailable.Detail("No node of chain %d answers", chain).Because(joined)
}
