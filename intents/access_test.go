package intents_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var slot = "0x" + word("7")

// An access list is signed as it was asked for, in the type that the fees make.
func TestAccessList(t *testing.T) {
	w := newWorld(t)
	to, err := evm.ParseAddress(usdc)
	w.ok(err)
	list := []intents.AccessSpec{{Address: usdc, Slots: []string{slot, "0x" + word("8")}}, {Address: strings.ToLower(somebody)}}
	for want, change := range map[evm.TxType]func(*intents.Request){
		evm.Legacy:     func(r *intents.Request) { r.GasPrice, r.Access = "2000000000", nil },
		evm.AccessList: func(r *intents.Request) { r.GasPrice = "2000000000" },
		evm.DynamicFee: func(*intents.Request) {},
	} {
		r := pay("0.01")
		r.Access = list
		change(&r)
		in := w.submit(r)
		tx, _, err := evmtest.ParseSigned(in.Last().Raw)
		w.ok(err)
		if tx.Type != want {
			t.Errorf("it is of type %d, not %d", tx.Type, want)
		}
		if want == evm.Legacy {
			continue
		}
		if len(tx.Access) != 2 || tx.Access[0].Address != to || tx.Access[0].Slots[1] != (evm.Hash{31: 8}) || len(tx.Access[1].Slots) != 0 {
			t.Errorf("type %d has the list %v", want, tx.Access)
		}
		if stored := w.get(in.ID).Call.Access; !reflect.DeepEqual(stored[0], tx.Access[0]) {
			t.Errorf("stored is %v", stored)
		}
	}
}

func TestAccessListsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	entry := intents.AccessSpec{Address: usdc, Slots: []string{slot}}
	for name, list := range map[string][]intents.AccessSpec{
		"no address":       {{Slots: []string{slot}}},
		"a wrong checksum": {{Address: strings.Replace(somebody, "C51", "c51", 1)}},
		"a short slot":     {{Address: usdc, Slots: []string{slot[:64]}}},
		"a long slot":      {{Address: usdc, Slots: []string{slot + "00"}}},
		"an empty slot":    {{Address: usdc, Slots: []string{""}}},
		"not hex":          {{Address: usdc, Slots: []string{"0x" + strings.Repeat("g", 64)}}},
		"many entries":     slices.Repeat([]intents.AccessSpec{{Address: usdc}}, 65),
		"many slots":       {entry, {Address: usdc, Slots: slices.Repeat([]string{slot}, 256)}},
	} {
		r := pay("0.01")
		r.Access = list
		_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
		if t.Run(name, func(*testing.T) { w.is(err, intents.ErrRequest) }); len(w.chain.sent) > 0 {
			t.Fatalf("%s is sent", name)
		}
	}
	r := pay("0.01")
	r.Access = slices.Concat(slices.Repeat([]intents.AccessSpec{entry}, 63), []intents.AccessSpec{{Address: usdc, Slots: slices.Repeat([]string{slot}, 256-63)}})
	w.submit(r) // just as many as may be
}

// What people agreed to has this list, and no other.
func TestApprovalOfAnAccessList(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	r := pay("0.2")
	r.Access = []intents.AccessSpec{{Address: usdc, Slots: []string{slot}}}
	a := w.ask(r)
	if want := usdc + ":" + slot; !strings.EqualFold(a.Action["access_list"], want) {
		t.Errorf("people see %q", a.Action["access_list"])
	}
	_, err := w.Approve(w.ctx, w.person(identity.RoleOwner), a.ID)
	w.ok(err)
	if without := w.ask(pay("0.2")); without.ID == a.ID {
		t.Error("the decision was used without the list")
	}
	r.Access[0].Slots[0] = "0x" + word("8")
	if another := w.ask(r); another.ID == a.ID {
		t.Error("the decision was used for another list")
	}
	r.Access[0].Slots[0] = slot
	w.submit(r)
}
