package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// The tables of intents. An agent's intents are neighbours, in the order of
// their creation; those that are not final are listed once more, so that
// following them costs nothing for the others.
var (
	chains          = table[[]intents.Chain]{name: "chain", version: 1}
	intentsTable    = table[intents.Intent]{name: "intent", version: 1}
	unseenIntents   = table[unseen]{name: "intent-unseen", version: 1}
	openIntents     = table[id.ID]{name: "intent-open", version: 1}
	chainAccounts   = table[intents.Account]{name: "account", version: 1, late: true}
	spent           = table[intents.Window]{name: "spent", version: 1, late: true}
	txCounts        = table[intents.Window]{name: "tx-count", version: 1, late: true}
	repeats         = table[intents.Repeat]{name: "repeat", version: 1}
	repeatAges      = rawTable{name: "repeat-age"}
	signerAddresses = table[evm.Address]{name: "signer-address", version: 1}
	signingKeys     = table[[]intents.SigningKey]{name: "signing-key", version: 1}
	extras          = table[intents.Extra]{name: "guardrails", version: 1}
	approvals       = table[intents.Approval]{name: "approval", version: 1}
	waitingFor      = table[[]intents.Waiting]{name: "approval-waiting", version: 1}
	lastApprovals   = table[id.ID]{name: "approval-last", version: 1}
	paid            = rawTable{name: "paid"}
	freezes         = table[intents.Freeze]{name: "freeze", version: 1}
)

var _ intents.Tx = (*Tx)(nil)

var chainsKey = []byte("chains")

// Chains implements intents.Tx.
func (t *Tx) Chains() ([]intents.Chain, error) {
	all, _, err := chains.get(t, chainsKey)
	return all, err
}

// PutChains implements intents.Tx.
func (t *Tx) PutChains(all []intents.Chain) error { return chains.put(t, chainsKey, all) }

// Intent implements intents.Tx.
func (t *Tx) Intent(agent, in id.ID) (intents.Intent, bool, error) {
	return intentsTable.get(t, pair(agent, in))
}

// PutIntent implements intents.Tx.
func (t *Tx) PutIntent(in intents.Intent) error {
	var err error
	if in.State.Final() || in.Unseen() {
		err = openIntents.delete(t, openKey(in.ChainID, in.ID))
	} else {
		err = openIntents.put(t, openKey(in.ChainID, in.ID), in.Agent)
	}
	if err == nil && in.Kind == intents.SignOnly {
		err = t.putUnseen(in)
	}
	if err != nil {
		return err
	}
	return intentsTable.put(t, pair(in.Agent, in.ID), in)
}

// Intents implements intents.Tx.
func (t *Tx) Intents(agent, before id.ID, limit int) (out []intents.Intent, err error) {
	p := page{Prefix: agent[:], Limit: limit, Down: true}
	if !before.IsZero() {
		p.After = pair(agent, before)
	}
	err = intentsTable.scan(t, p, func(_ []byte, in intents.Intent) error {
		out = append(out, in)
		return nil
	})
	return out, err
}

// openKey keeps the open intents of a chain together, in the order of their
// creation.
func openKey(chain uint64, in id.ID) []byte {
	return append(binary.BigEndian.AppendUint64(nil, chain), in[:]...)
}

// OpenIntents implements intents.Tx.
func (t *Tx) OpenIntents(chain uint64, after id.ID, limit int) (out []intents.Intent, err error) {
	p := page{Prefix: binary.BigEndian.AppendUint64(nil, chain), Limit: limit}
	if !after.IsZero() {
		p.After = openKey(chain, after)
	}
	err = openIntents.scan(t, p, func(key []byte, agent id.ID) error {
		in, ok, err := t.Intent(agent, id.ID(key[8:]))
		if ok {
			out = append(out, in)
		}
		return err
	})
	return out, err
}

func accountKey(chain uint64, a evm.Address) []byte {
	return append(binary.BigEndian.AppendUint64(nil, chain), a[:]...)
}

// Account implements intents.Tx.
func (t *Tx) Account(chain uint64, a evm.Address) (intents.Account, error) {
	n := t.name("account", string(accountKey(chain, a)))
	acc, _, err := chainAccounts.get(t, n[:])
	return acc, err
}

// PutAccount implements intents.Tx.
func (t *Tx) PutAccount(a intents.Account) error {
	n := t.name("account", string(accountKey(a.ChainID, a.Address)))
	return chainAccounts.put(t, n[:], a)
}

// assetKey hides which token an agent spends.
func (t *Tx) assetKey(agent id.ID, a intents.Asset) []byte {
	n := t.name("asset", string(agent[:]), string(accountKey(a.ChainID, a.Token)))
	return slices.Concat(agent[:], n[:])
}

// Spent implements intents.Tx.
func (t *Tx) Spent(agent id.ID, a intents.Asset) (intents.Window, error) {
	w, _, err := spent.get(t, t.assetKey(agent, a))
	return w, err
}

// PutSpent implements intents.Tx.
func (t *Tx) PutSpent(agent id.ID, a intents.Asset, w intents.Window) error {
	return spent.put(t, t.assetKey(agent, a), w)
}

// TxCount implements intents.Tx.
func (t *Tx) TxCount(agent id.ID) (intents.Window, error) {
	w, _, err := txCounts.get(t, agent[:])
	return w, err
}

// PutTxCount implements intents.Tx.
func (t *Tx) PutTxCount(agent id.ID, w intents.Window) error { return txCounts.put(t, agent[:], w) }

// repeatKey hides an Idempotency-Key, which its agent chose.
func (t *Tx) repeatKey(agent id.ID, key string) []byte {
	n := t.name("idempotency key", string(agent[:]), key)
	return slices.Concat(agent[:], n[:])
}

// repeatAge keeps the records of repeats in the order of their age.
func repeatAge(at time.Time, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano())), key...)
}

// Repeat implements intents.Tx.
func (t *Tx) Repeat(agent id.ID, key string) (intents.Repeat, bool, error) {
	return repeats.get(t, t.repeatKey(agent, key))
}

// PutRepeat implements intents.Tx.
func (t *Tx) PutRepeat(agent id.ID, key string, r intents.Repeat) error {
	k := t.repeatKey(agent, key)
	if err := t.ForgetRepeat(k); err != nil {
		return err
	}
	if err := repeatAges.put(t, repeatAge(r.At, k), here); err != nil {
		return err
	}
	return repeats.put(t, k, r)
}

// DeleteRepeat implements intents.Tx.
func (t *Tx) DeleteRepeat(agent id.ID, key string) error {
	return t.ForgetRepeat(t.repeatKey(agent, key))
}

// OldRepeats implements intents.Tx.
func (t *Tx) OldRepeats(before time.Time, limit int) (out []intents.RepeatKey, err error) {
	end := uint64(before.UnixNano())
	err = repeatAges.scan(t, page{Limit: limit}, func(key, _ []byte) error {
		if binary.BigEndian.Uint64(key) >= end {
			return errStop
		}
		out = append(out, slices.Clone(key[8:]))
		return nil
	})
	return out, err
}

// ForgetRepeat implements intents.Tx.
func (t *Tx) ForgetRepeat(k intents.RepeatKey) error {
	old, ok, err := repeats.get(t, k)
	if err != nil || !ok {
		return err
	}
	if err := repeatAges.delete(t, repeatAge(old.At, k)); err != nil {
		return err
	}
	return repeats.delete(t, k)
}

// SignerAddress implements intents.Tx.
func (t *Tx) SignerAddress(secret id.ID, version uint32) (evm.Address, bool, error) {
	return signerAddresses.get(t, versionKey(secret, version))
}

// PutSignerAddress implements intents.Tx.
func (t *Tx) PutSignerAddress(secret id.ID, version uint32, a evm.Address) error {
	return signerAddresses.put(t, versionKey(secret, version), a)
}

// Extra implements intents.Tx.
func (t *Tx) Extra(agent id.ID) (intents.Extra, error) {
	x, _, err := extras.get(t, agent[:])
	return x, err
}

// PutExtra implements intents.Tx.
func (t *Tx) PutExtra(agent id.ID, x intents.Extra) error { return extras.put(t, agent[:], x) }

// Freeze implements intents.Tx.
func (t *Tx) Freeze(org id.ID) (intents.Freeze, bool, error) { return freezes.get(t, org[:]) }

// PutFreeze implements intents.Tx.
func (t *Tx) PutFreeze(org id.ID, f intents.Freeze) error { return freezes.put(t, org[:], f) }

// DeleteFreeze implements intents.Tx.
func (t *Tx) DeleteFreeze(org id.ID) error { return freezes.delete(t, org[:]) }

// Approval implements intents.Tx.
func (t *Tx) Approval(org, approval id.ID) (intents.Approval, bool, error) {
	return approvals.get(t, pair(org, approval))
}

// PutApproval implements intents.Tx.
func (t *Tx) PutApproval(a intents.Approval) error {
	if err := lastApprovals.put(t, slices.Concat(a.Agent[:], a.Hash), a.ID); err != nil {
		return err
	}
	return approvals.put(t, pair(a.Org, a.ID), a)
}

// LastApproval implements intents.Tx.
func (t *Tx) LastApproval(org, agent id.ID, hash []byte) (a intents.Approval, ok bool, err error) {
	last, ok, err := lastApprovals.get(t, slices.Concat(agent[:], hash))
	if err != nil || !ok {
		return a, false, err
	}
	return t.Approval(org, last)
}

// Waiting implements intents.Tx.
func (t *Tx) Waiting(agent id.ID) ([]intents.Waiting, error) {
	list, _, err := waitingFor.get(t, agent[:])
	return list, err
}

// PutWaiting implements intents.Tx.
func (t *Tx) PutWaiting(agent id.ID, list []intents.Waiting) error {
	return waitingFor.put(t, agent[:], list)
}

// Approvals implements intents.Tx.
func (t *Tx) Approvals(org id.ID, fn func(intents.Approval) bool) error {
	return approvals.scan(t, page{Prefix: org[:], Down: true}, func(_ []byte, a intents.Approval) error {
		if !fn(a) {
			return errStop
		}
		return nil
	})
}

// Managers implements intents.Tx.
func (t *Tx) Managers(org id.ID) (out []identity.User, err error) {
	err = users.scan(t, page{Prefix: org[:]}, func(_ []byte, u identity.User) error {
		if u.Role == identity.RoleOwner || u.Role == identity.RoleAdmin {
			out = append(out, u)
		}
		return nil
	})
	return out, err
}

// paidKey hides whom an agent pays.
func (t *Tx) paidKey(agent id.ID, to evm.Address) []byte {
	n := t.name("recipient", string(agent[:]), string(to[:]))
	return slices.Concat(agent[:], n[:])
}

// Paid implements intents.Tx.
func (t *Tx) Paid(agent id.ID, to evm.Address) (bool, error) {
	raw, err := paid.peek(t, t.paidKey(agent, to))
	return raw != nil, err
}

// PutPaid implements intents.Tx.
func (t *Tx) PutPaid(agent id.ID, to evm.Address) error {
	return paid.put(t, t.paidKey(agent, to), here)
}

func (t *Tx) signingKeyKey(agent id.ID, chain string) []byte {
	n := t.name("signing key", string(agent[:]), chain)
	return slices.Concat(agent[:], n[:])
}

// SigningKeys implements intents.Tx.
func (t *Tx) SigningKeys(agent id.ID, chain string) ([]intents.SigningKey, error) {
	all, _, err := signingKeys.get(t, t.signingKeyKey(agent, chain))
	return all, err
}

// PutSigningKeys implements intents.Tx.
func (t *Tx) PutSigningKeys(agent id.ID, chain string, keys []intents.SigningKey) error {
	return signingKeys.put(t, t.signingKeyKey(agent, chain), keys)
}

// AllSigningKeys implements intents.Tx.
func (t *Tx) AllSigningKeys(agent id.ID) (out []intents.SigningKey, err error) {
	err = signingKeys.scan(t, page{Prefix: agent[:]}, func(_ []byte, keys []intents.SigningKey) error {
		out = append(out, keys...)
		return nil
	})
	slices.SortFunc(out, func(a, b intents.SigningKey) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Version, b.Version))
	})
	return out, err
}
