package node

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// PendingNonce is the nonce of an account's next transaction, if all that the
// node keeps of it are mined. It does not count those behind a gap. Those who ask
// for one account at the same time share the answer.
func (p *Pool) PendingNonce(ctx context.Context, a evm.Address) (uint64, error) {
	return p.pending.get(ctx, a, func(ctx context.Context) (uint64, error) { return p.nonce(ctx, a, "pending") })
}

// LatestNonce is how many transactions of an account are mined.
func (p *Pool) LatestNonce(ctx context.Context, a evm.Address) (uint64, error) {
	return p.nonce(ctx, a, "latest")
}

func (p *Pool) nonce(ctx context.Context, a evm.Address, block string) (uint64, error) {
	n, err := result[count](ctx, p, "eth_getTransactionCount", a, block)
	return uint64(n), err
}

// Balance is what an account has of the native coin.
func (p *Pool) Balance(ctx context.Context, a evm.Address) (evm.Amount, error) {
	q, err := result[quantity](ctx, p, "eth_getBalance", a, "latest")
	return q.Amount, err
}

// Code is the code of a contract; other accounts have none.
func (p *Pool) Code(ctx context.Context, a evm.Address) ([]byte, error) {
	code, err := result[octets](ctx, p, "eth_getCode", a, "latest")
	return code, err
}

// result asks for something of type T.
func result[T any](ctx context.Context, p *Pool, method string, params ...any) (out T, err error) {
	err = p.ask(ctx, func(n *node) error { return n.call(ctx, &out, method, params...) })
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// Head is the newest block.
type Head struct {
	Number  uint64
	Hash    evm.Hash
	Time    time.Time
	BaseFee *evm.Amount // nil on chains without EIP-1559
}

// Head returns the newest block that the node has.
func (p *Pool) Head(ctx context.Context) (h Head, err error) {
	err = p.ask(ctx, func(n *node) (err error) {
		h, err = n.head(ctx)
		return err
	})
	return h, err
}

func (n *node) head(ctx context.Context) (Head, error) {
	var b *struct {
		Number, Timestamp *count
		Hash              *evm.Hash
		BaseFeePerGas     *quantity
	}
	if err := n.call(ctx, &b, "eth_getBlockByNumber", "latest", false); err != nil {
		return Head{}, err
	}
	if b == nil || b.Number == nil || b.Timestamp == nil || b.Hash == nil {
		return Head{}, n.fails("eth_getBlockByNumber: it has no newest block")
	}
	h := Head{Number: uint64(*b.Number), Hash: *b.Hash, Time: time.Unix(int64(*b.Timestamp), 0)}
	if b.BaseFeePerGas != nil {
		h.BaseFee = &b.BaseFeePerGas.Amount
	}
	return h, nil
}

// BlockHash is the hash of a block of the chain, zero if it has none of that number.
func (p *Pool) BlockHash(ctx context.Context, block uint64) (evm.Hash, error) {
	b, err := result[*struct{ Hash evm.Hash }](ctx, p, "eth_getBlockByNumber", number(block), false)
	if err != nil || b == nil {
		return evm.Hash{}, err
	}
	return b.Hash, nil
}

// Fees are what gas costs now, in the native coin's smallest unit.
type Fees struct {
	Dynamic  bool       // the chain has EIP-1559: BaseFee and Tip are known
	BaseFee  evm.Amount // of the newest block
	Tip      evm.Amount // that the node suggests
	GasPrice evm.Amount // that the node suggests for transactions of one price
}

// MaxFee is a maximal fee that lasts: the base fee can double before it is not
// enough, which takes six full blocks at least.
func (f Fees) MaxFee() (evm.Amount, error) {
	twice, err := f.BaseFee.Mul(evm.NewAmount(2))
	if err != nil {
		return evm.Amount{}, err
	}
	return twice.Add(f.Tip)
}

// Fees asks one node for all of them.
func (p *Pool) Fees(ctx context.Context) (f Fees, err error) {
	err = p.ask(ctx, func(n *node) (err error) {
		f, err = n.fees(ctx)
		return err
	})
	return f, err
}

func (n *node) fees(ctx context.Context) (Fees, error) {
	var wg sync.WaitGroup
	var head Head
	var price, tip quantity
	var hasTip bool
	errs := make([]error, 3)
	wg.Go(func() { head, errs[0] = n.head(ctx) })
	wg.Go(func() { errs[1] = n.call(ctx, &price, "eth_gasPrice") })
	wg.Go(func() { hasTip, errs[2] = n.optional(ctx, &tip, "eth_maxPriorityFeePerGas") })
	wg.Wait()
	if head.BaseFee == nil {
		errs[2] = nil // who has no base fee may say what it likes of tips
	}
	if err := errors.Join(errs...); err != nil {
		return Fees{}, err
	}
	f := Fees{GasPrice: price.Amount}
	if head.BaseFee == nil {
		return f, nil
	}
	f.Dynamic, f.BaseFee, f.Tip = true, *head.BaseFee, tip.Amount
	if !hasTip {
		f.Tip, _ = price.Sub(f.BaseFee) // nothing, if the price is lower
	}
	return f, nil
}

// Estimate is the gas that a call takes now. It may take more when it is mined:
// add a fifth. An error is a *Revert if the call would be reverted.
func (p *Pool) Estimate(ctx context.Context, from evm.Address, c evm.Call) (uint64, error) {
	gas, err := result[count](ctx, p, "eth_estimateGas", argumentsOf(from, c, 0))
	return uint64(gas), reverted(err)
}

// reverted turns a refusal into a Revert if that is what it says. Nodes put the
// contract's bytes in different places.
func reverted(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	text := ""
	var holder struct{ Data string }
	if json.Unmarshal(r.data, &text) != nil && json.Unmarshal(r.data, &holder) == nil {
		text = holder.Data
	}
	text = strings.TrimPrefix(text, "Reverted ")
	if r.code != 3 && !has(r.message, "revert") && !strings.HasPrefix(string(r.data), `"Reverted`) {
		return err
	}
	var data octets
	if err := data.UnmarshalText([]byte(text)); err != nil && text != "" {
		data = nil
	}
	why, kind := evm.RevertReason(data)
	if _, words, ok := strings.Cut(r.message, "reverted: "); ok && len(data) == 0 {
		why, kind = words, evm.RevertError // some nodes keep the bytes to themselves
	}
	return &Revert{Reason: why, Kind: kind, Data: data}
}
