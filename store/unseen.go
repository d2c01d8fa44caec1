package store

import (
	"encoding/binary"
	"slices"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
)

// unseen leads to an intent that its account's nonce says nothing of yet. Those of
// an account are neighbours, in the order of their nonces, so that following them
// costs as much as there are accounts, however many nobody ever broadcasts.
type unseen struct {
	Agent id.ID       `json:"agent"`
	From  evm.Address `json:"from"`
}

// unseenAccount is the beginning of the keys of an account, and unseenKey a key.
func (t *Tx) unseenAccount(chain uint64, a evm.Address) []byte {
	n := t.name("account", string(accountKey(chain, a)))
	return append(binary.BigEndian.AppendUint64(nil, chain), n[:]...)
}

func (t *Tx) unseenKey(chain uint64, a evm.Address, nonce uint64, in id.ID) []byte {
	return append(binary.BigEndian.AppendUint64(t.unseenAccount(chain, a), nonce), in[:]...)
}

func (t *Tx) putUnseen(in intents.Intent) error {
	key := t.unseenKey(in.ChainID, in.From, in.Nonce, in.ID)
	if !in.Unseen() {
		return unseenIntents.delete(t, key)
	}
	return unseenIntents.put(t, key, unseen{in.Agent, in.From})
}

// UnseenAccounts implements intents.Tx.
func (t *Tx) UnseenAccounts(chain uint64) (out []evm.Address, err error) {
	p := page{Prefix: binary.BigEndian.AppendUint64(nil, chain), Limit: 1}
	for {
		found := false
		err := unseenIntents.scan(t, p, func(_ []byte, u unseen) error {
			found = true
			out = append(out, u.From)
			return nil
		})
		if err != nil || !found {
			return out, err
		}
		p.After = t.unseenKey(chain, out[len(out)-1], 1<<64-1, id.ID(slices.Repeat([]byte{0xff}, len(id.ID{})))) // the next account's
	}
}

// Unseen implements intents.Tx.
func (t *Tx) Unseen(chain uint64, a evm.Address, nonces [2]uint64, limit int) (out []intents.Intent, err error) {
	account := t.unseenAccount(chain, a)
	p := page{Prefix: account, Limit: limit, After: t.unseenKey(chain, a, nonces[0], id.ID{})}
	err = unseenIntents.scan(t, p, func(key []byte, u unseen) error {
		if key = key[len(account):]; binary.BigEndian.Uint64(key) >= nonces[1] {
			return errStop
		}
		in, ok, err := t.Intent(u.Agent, id.ID(key[8:]))
		if ok {
			out = append(out, in)
		}
		return err
	})
	return out, err
}
