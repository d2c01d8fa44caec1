package intents_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
)

const usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"

// permit is typed data that lets somebody move an amount of a token.
func permit(owner evm.Address, amount string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{
		"types": {
			"EIP712Domain": [{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
			"Permit": [{"name":"owner","type":"address"},{"name":"spender","type":"address"},{"name":"value","type":"uint256"},{"name":"nonce","type":"uint256"},{"name":"deadline","type":"uint256"}]
		},
		"primaryType": "Permit",
		"domain": {"name":"USD Coin","version":"2","chainId":1,"verifyingContract":%q},
		"message": {"owner":%q,"spender":%q,"value":%q,"nonce":"0","deadline":"1900000000"}
	}`, usdc, owner, somebody, amount))
}

func (w *world) sign(r intents.MessageRequest) (intents.SignedMessage, error) {
	r.Chain = "ethereum"
	return w.SignMessage(w.ctx, w.agent, w.agent.ID, r)
}

func (w *world) limits(x intents.Extra) {
	w.Helper()
	w.update(func(tx intents.Tx) error { return tx.PutExtra(w.agent.ID, x) })
}

func TestPersonalMessage(t *testing.T) {
	w := newWorld(t)
	w.logs("message.sign success", func() {
		m, err := w.sign(intents.MessageRequest{Type: intents.Personal, Message: "hello"})
		w.ok(err)
		sig, err := evm.ParseSignature(m.Signature)
		w.ok(err)
		if by, err := sig.Recover(evm.PersonalHash([]byte("hello"))); err != nil || by != m.From {
			t.Errorf("it is the signature of %s (%v), not of %s", by, err, m.From)
		}
	})
	w.limits(intents.Extra{NoPersonal: true})
	w.logs("message.sign refused message_type", func() {
		_, err := w.sign(intents.MessageRequest{Type: intents.Personal, Message: "hello"})
		w.is(err, intents.ErrMessageType)
	})
}

// A permit is a transfer that somebody else carries out, and counts as one.
func TestPermitIsSpending(t *testing.T) {
	w := newWorld(t)
	token, err := evm.ParseAddress(usdc)
	w.ok(err)
	from := w.submit(pay("0.01")).From
	most, daily := evm.NewAmount(1000), evm.NewAmount(1500)
	w.limits(intents.Extra{Tokens: []intents.TokenLimit{{ChainID: 1, Token: token, MaxAmount: &most, DailyLimit: &daily}}})
	ask := func(amount string) error {
		_, err := w.sign(intents.MessageRequest{Type: intents.Typed, Typed: permit(from, amount)})
		return err
	}
	w.ok(ask("1000"))
	w.is(ask("1001"), intents.ErrTokenLimit)
	w.is(ask("501"), intents.ErrTokenLimit)
	w.ok(ask("500"))
	w.is(ask("115792089237316195423570985008687907853269984665640564039457584007913129639935"), intents.ErrUnlimited)
	w.change(noRecipients)
	w.is(ask("0"), intents.ErrRecipient)
}

// What a message of an unknown type allows is not known: its contract has to be
// listed. Digests say nothing at all, and are off.
func TestUnknownMessages(t *testing.T) {
	w := newWorld(t)
	token, err := evm.ParseAddress(usdc)
	w.ok(err)
	order := json.RawMessage(fmt.Sprintf(`{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],"Order":[{"name":"all","type":"bool"}]},
		"primaryType":"Order","domain":{"chainId":1,"verifyingContract":%q},"message":{"all":true}}`, usdc))
	_, err = w.sign(intents.MessageRequest{Type: intents.Typed, Typed: order})
	w.is(err, intents.ErrDomain)
	w.limits(intents.Extra{Domains: []evm.Address{token}})
	_, err = w.sign(intents.MessageRequest{Type: intents.Typed, Typed: order})
	w.ok(err)

	digest := intents.MessageRequest{Type: intents.RawDigest, Hash: "0x" + fmt.Sprintf("%064x", 1)}
	_, err = w.sign(digest)
	w.is(err, intents.ErrRawDigest)
	w.limits(intents.Extra{RawDigests: true})
	_, err = w.sign(digest)
	w.ok(err)
	_, err = w.FreezeSigning(w.ctx, w.owner, "an incident")
	w.ok(err)
	_, err = w.sign(digest)
	w.is(err, intents.ErrFrozen)
}
