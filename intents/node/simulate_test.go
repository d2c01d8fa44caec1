package node_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
)

// world is a chain with a token and a contract that fails.
type world struct {
	chain          *anviltest.Chain
	usdc, reverter evm.Address
	names          map[evm.Address]string
	me, other      evm.Address
}

func newWorld(t testing.TB) world {
	chain := anviltest.Start(t, anviltest.Options{})
	w := world{chain: chain, usdc: chain.DeployToken(anviltest.USDC()), reverter: chain.DeployReverter()}
	_, w.me = anviltest.Key(t, 0)
	_, w.other = anviltest.Key(t, 1)
	w.names = map[evm.Address]string{w.me: "me", w.other: "other", w.usdc: "usdc", w.reverter: "reverter"}
	return w
}

// brief writes a result: its status and reason, and each change.
func (w world) brief(r node.SimResult) string {
	s := string(r.Status)
	if r.Reason != "" {
		s += " (" + r.Reason + ")"
	}
	var changes []string
	for _, c := range r.Changes {
		coin, decimals := "coin", 18
		if c.Asset.Standard == evm.ERC20 {
			coin, decimals = w.names[c.Asset.Token], 6
		}
		up, err := c.After.Sub(c.Before)
		sign := "+"
		if err != nil {
			up, _ = c.Before.Sub(c.After)
			sign = "-"
		}
		changes = append(changes, fmt.Sprintf("%s %s%s %s", w.names[c.Address], sign, up.Units(decimals), coin))
	}
	slices.Sort(changes)
	return strings.Join(append([]string{s}, changes...), ", ")
}

func TestSimulate(t *testing.T) {
	w := newWorld(t)
	half := units(t, "0.5", 18)
	from := func(who evm.Address, to *evm.Address, value evm.Amount, data []byte) node.SimCall {
		return node.SimCall{From: who, Call: evm.Call{To: to, Value: value, Data: data}}
	}
	none := evm.Amount{}
	cases := map[string]struct {
		calls []node.SimCall
		want  []string
	}{
		"a payment": {[]node.SimCall{from(w.me, &w.other, half, nil)}, []string{"success, me -0.5 coin, other +0.5 coin"}},
		"a payment through a contract": {
			[]node.SimCall{from(w.me, &w.reverter, half, anviltest.Calldata(t, "forward(address)", w.other))},
			[]string{"success, me -0.5 coin, other +0.5 coin"},
		},
		"a payment in tokens": {
			[]node.SimCall{from(w.me, &w.usdc, none, anviltest.Calldata(t, "transfer(address,uint256)", w.other, 2_500000))},
			[]string{"success, me -2.5 usdc, other +2.5 usdc"},
		},
		"more tokens than there are": {
			[]node.SimCall{from(w.other, &w.usdc, none, anviltest.Calldata(t, "transfer(address,uint256)", w.me, 1))},
			[]string{"reverted (ERC20InsufficientBalance(" + w.other.String() + ", 0, 1))"},
		},
		"an approval, and its use": {
			[]node.SimCall{
				from(w.me, &w.usdc, none, anviltest.Calldata(t, "approve(address,uint256)", w.other, 3_000000)),
				from(w.other, &w.usdc, none, anviltest.Calldata(t, "transferFrom(address,address,uint256)", w.me, w.other, 2_000000)),
				from(w.other, &w.usdc, none, anviltest.Calldata(t, "transferFrom(address,address,uint256)", w.me, w.other, 2_000000)),
				from(w.other, &w.usdc, none, anviltest.Calldata(t, "transfer(address,uint256)", w.me, 500000)),
			},
			[]string{
				"success", "success, me -2 usdc, other +2 usdc",
				"reverted (ERC20InsufficientAllowance(" + w.other.String() + ", 1000000, 2000000))",
				"success, me +0.5 usdc, other -0.5 usdc",
			},
		},
		"coins, there and back": {
			[]node.SimCall{from(w.me, &w.other, units(t, "9000", 18), nil), from(w.other, &w.me, units(t, "15000", 18), nil)},
			[]string{"success, me -9000 coin, other +9000 coin", "success, me +15000 coin, other -15000 coin"},
		},
		"what works only once": {
			[]node.SimCall{from(w.me, &w.reverter, none, anviltest.Calldata(t, "once()")), from(w.me, &w.reverter, none, anviltest.Calldata(t, "once()"))},
			[]string{"success", "reverted (once only)"},
		},
		"silent": {
			[]node.SimCall{from(w.me, &w.reverter, none, anviltest.Calldata(t, "silent()"))}, []string{"reverted (reverted without a reason)"},
		},
	}
	for method, url := range map[node.SimMethod]string{
		node.SimulateV1: w.chain.URL,
		node.TraceCall:  without(t, w.chain.URL, "eth_simulateV1"),
		node.PlainCall:  without(t, w.chain.URL, "eth_simulateV1", "debug_traceCall"),
	} {
		p := pool(t, url)
		for name, c := range cases {
			got, err := p.Simulate(t.Context(), c.calls, 0)
			if err != nil || len(got) != len(c.calls) {
				t.Errorf("%s, %s: %d results, %v (%v)", method, name, len(got), err, errors.Unwrap(err))
				continue
			}
			for i, r := range got {
				want := c.want[i]
				if method == node.PlainCall { // it knows of no balances, and of one call only
					if want, _, _ = strings.Cut(want, ", me"); i > 0 {
						want = "error (the node cannot simulate several calls)"
					}
				}
				if s := w.brief(r); s != want || r.Method != method {
					t.Errorf("%s, %s, call %d by %s: %s\nwant %s", method, name, i, r.Method, s, want)
				}
				if r.Status == node.SimSuccess && r.GasUsed < 21000 {
					t.Errorf("%s, %s: used %d gas", method, name, r.GasUsed)
				}
			}
		}
	}
}

// A call that runs out of gas fails, as one that is reverted does.
func TestSimulateWithoutGas(t *testing.T) {
	w := newWorld(t)
	call := node.SimCall{From: w.me, Gas: 60_000, Call: evm.Call{To: &w.reverter, Data: anviltest.Calldata(t, "burn(uint256)", 1000)}}
	for _, url := range []string{w.chain.URL, without(t, w.chain.URL, "eth_simulateV1")} {
		got, err := pool(t, url).Simulate(t.Context(), []node.SimCall{call}, 0)
		if err != nil || got[0].Status != node.SimReverted || !strings.Contains(strings.ToLower(got[0].Reason), "gas") {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// Balances are those of the block that is asked for.
func TestSimulateInThePast(t *testing.T) {
	w := newWorld(t)
	p := pool(t, w.chain.URL)
	before := must[node.Head](t)(p.Head(t.Context())).Number
	w.chain.Send(0, evm.Call{To: &w.usdc, Data: anviltest.Calldata(t, "transfer(address,uint256)", w.other, 7)})
	call := node.SimCall{From: w.other, Call: evm.Call{To: &w.usdc, Data: anviltest.Calldata(t, "transfer(address,uint256)", w.me, 7)}}
	for block, want := range map[uint64]node.SimStatus{0: node.SimSuccess, before: node.SimReverted} {
		got := must[[]node.SimResult](t)(p.Simulate(t.Context(), []node.SimCall{call}, block))
		if got[0].Status != want {
			t.Errorf("at block %d: %+v", block, got[0])
		}
	}
}

func TestSimulateMoreThanThereIs(t *testing.T) {
	w := newWorld(t)
	for _, url := range []string{w.chain.URL, without(t, w.chain.URL, "eth_simulateV1"), without(t, w.chain.URL, "eth_simulateV1", "debug_traceCall")} {
		call := node.SimCall{From: w.me, Call: evm.Call{To: &w.other, Value: units(t, "20000", 18)}}
		got, err := pool(t, url).Simulate(t.Context(), []node.SimCall{call}, 0)
		if err != nil || got[0].Status != node.SimError || got[0].Reason == "" || len(got[0].Changes) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestSimulationsThatAreRefused(t *testing.T) {
	p := pool(t, "http://127.0.0.1:1")
	for _, n := range []int{0, 17} {
		if _, err := p.Simulate(t.Context(), make([]node.SimCall, n), 0); !errors.Is(err, node.ErrSimulation) {
			t.Errorf("%d calls: %v", n, err)
		}
	}
}
