package node

import (
	"context"
	"errors"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// Outcome is what a node says of a transaction that it was sent.
type Outcome string

// The outcomes. Only Accepted and Known are to be built on. What the others say
// is a node's words, in whatever wording it has; whether the transaction is on
// its way, or mined, is for Lookup to find out. The same bytes can be sent again
// after any of them: a chain takes them once.
const (
	Accepted    Outcome = "accepted"      // it is on its way
	Known       Outcome = "known"         // it was before
	NonceTooLow Outcome = "nonce_too_low" // the nonce is used up: by this transaction or another
	Underpriced Outcome = "underpriced"   // it pays too little, or not enough more than the one it would replace
	Rejected    Outcome = "rejected"      // as it is, and things are, no node takes it
	Unclear     Outcome = "unclear"       // a node may have it
)

// Sent says what became of sending a transaction.
type Sent struct {
	Outcome Outcome
	Reason  string // the node's words, printable; empty if it is on its way
	Node    string
}

// Send hands a transaction to the nodes, until one takes it or says why not. If
// one gave no answer it may have it all the same, whatever the next one says. An
// error means that it was not sent at all.
func (p *Pool) Send(ctx context.Context, tx evm.Signed) (Sent, error) {
	var errs []error
	var lost *Sent // sent, without an answer
	for _, n := range p.nodes {
		var s Sent
		tried := false
		err := p.try(ctx, n, func(n *node) (err error) {
			tried = true
			s, err = n.send(ctx, tx)
			return err
		})
		switch {
		case err == nil && lost != nil && s.Outcome != Accepted && s.Outcome != Known:
			return *lost, nil
		case err == nil:
			return s, nil
		case tried:
			lost = &Sent{Outcome: Unclear, Reason: err.Error(), Node: n.name}
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	if lost != nil {
		return *lost, nil
	}
	if ctx.Err() != nil {
		return Sent{}, ctx.Err()
	}
	return Sent{}, p.unavailable(errs)
}

func (n *node) send(ctx context.Context, tx evm.Signed) (Sent, error) {
	var hash evm.Hash
	err := n.call(ctx, &hash, "eth_sendRawTransaction", octets(tx.Raw))
	var r *refusal
	switch {
	case errors.As(err, &r):
		return Sent{Outcome: classify(r.message), Reason: r.message, Node: n.name}, nil
	case err != nil:
		return Sent{}, err
	case hash != tx.Hash:
		return Sent{}, n.fails("eth_sendRawTransaction: it took another transaction than was sent")
	}
	return Sent{Outcome: Accepted, Node: n.name}, nil
}

// classify reads the words of a refusal. Nodes have no codes for them.
func classify(message string) Outcome {
	switch {
	case has(message, "already known", "already imported", "known transaction", "already in mempool", "already exists", "alreadyknown"):
		return Known
	case has(message, "underpriced", "fee too low", "feetoolow", "gas price too low", "less than block base fee", "fee cap less than", "below the minimum"):
		return Underpriced
	case has(message, "nonce too low", "nonce is too low", "oldnonce", "nonce has already been used"):
		return NonceTooLow
	case has(message, "insufficient", "intrinsic gas", "gas limit", "invalid sender", "chain id", "chainid", "oversized", "initcode",
		"priority fee", "replay-protected", "not supported", "exceeds the configured cap", "invalid signature", "rlp", "invalid transaction"):
		return Rejected
	}
	return Unclear
}

// Fate is what became of a transaction.
type Fate string

// The fates.
const (
	Unknown Fate = "unknown" // no node has it: it was never sent, or dropped
	Pending Fate = "pending" // a node has it, no block does
	Mined   Fate = "mined"   // a block has it, which may still be replaced
)

// Lookup is where a transaction is. What follows Fate is there once it is mined.
type Lookup struct {
	Fate      Fate
	Success   bool // it was not reverted
	Block     uint64
	BlockHash evm.Hash
	GasUsed   uint64
	Price     evm.Amount   // paid per gas
	L1Fee     evm.Amount   // what a rollup charges on top
	Contract  *evm.Address // that it created
}

// Lookup finds a transaction by its hash. A node may not have heard of it yet
// when another has it mined, so that all are asked until one does.
func (p *Pool) Lookup(ctx context.Context, hash evm.Hash) (Lookup, error) {
	best, answered := Lookup{Fate: Unknown}, false
	var errs []error
	for _, n := range p.nodes {
		var l Lookup
		err := p.try(ctx, n, func(n *node) (err error) {
			l, err = n.lookup(ctx, hash)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return Lookup{}, ctx.Err()
		case err != nil:
			errs = append(errs, err)
			continue
		}
		if answered = true; l.Fate != Unknown {
			best = l
		}
		if best.Fate == Mined {
			break
		}
	}
	if !answered {
		return Lookup{}, p.unavailable(errs)
	}
	return best, nil
}

type receipt struct {
	TransactionHash              *evm.Hash
	BlockHash                    *evm.Hash
	BlockNumber, Status, GasUsed *count
	EffectiveGasPrice, L1Fee     *quantity
	ContractAddress              *evm.Address
}

func (n *node) lookup(ctx context.Context, hash evm.Hash) (Lookup, error) {
	var r *receipt
	if err := n.call(ctx, &r, "eth_getTransactionReceipt", hash); err != nil {
		return Lookup{}, err
	}
	if r != nil {
		return n.mined(hash, r)
	}
	var tx *struct{ Hash evm.Hash }
	switch err := n.call(ctx, &tx, "eth_getTransactionByHash", hash); {
	case err != nil:
		return Lookup{}, err
	case tx == nil:
		return Lookup{Fate: Unknown}, nil
	case tx.Hash != hash:
		return Lookup{}, n.fails("eth_getTransactionByHash: it is another transaction")
	}
	return Lookup{Fate: Pending}, nil
}

func (n *node) mined(hash evm.Hash, r *receipt) (Lookup, error) {
	if r.TransactionHash == nil || *r.TransactionHash != hash || r.BlockHash == nil || r.BlockNumber == nil || r.Status == nil || r.GasUsed == nil {
		return Lookup{}, n.fails("eth_getTransactionReceipt: it is not one of this transaction")
	}
	l := Lookup{
		Fate: Mined, Success: *r.Status == 1, Block: uint64(*r.BlockNumber), BlockHash: *r.BlockHash,
		GasUsed: uint64(*r.GasUsed), Contract: r.ContractAddress,
	}
	if r.EffectiveGasPrice != nil {
		l.Price = r.EffectiveGasPrice.Amount
	}
	if r.L1Fee != nil {
		l.L1Fee = r.L1Fee.Amount
	}
	return l, nil
}
