package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
)

// pool is the nodes at urls, of the chain of anviltest.
func pool(t testing.TB, urls ...string) *node.Pool {
	t.Helper()
	return must[*node.Pool](t)(node.New(node.Options{ChainID: 84532, URLs: urls, Client: http.DefaultClient}))
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%v)", err, errors.Unwrap(err))
		}
		return v
	}
}

func units(t testing.TB, s string, decimals int) evm.Amount {
	t.Helper()
	return must[evm.Amount](t)(evm.ParseUnits(s, decimals))
}

// signed is a transaction of account 0 of the chain, of a fee that is enough.
func signed(t testing.TB, nonce uint64, c evm.Call, change ...func(*evm.Tx)) evm.Signed {
	t.Helper()
	key, _ := anviltest.Key(t, 0)
	tx := evm.Tx{
		Type: evm.DynamicFee, ChainID: 84532, Nonce: nonce, Gas: 500_000,
		MaxFee: evm.NewAmount(20e9), Tip: evm.NewAmount(1e9), Call: c,
	}
	for _, f := range change {
		f(&tx)
	}
	return must[evm.Signed](t)(tx.Sign(must[evm.Signature](t)(key.Sign(tx.Digest()))))
}

// A transaction's way: what it needs to know, sending it, and where it got to.
func TestATransactionOnAChain(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{Args: []string{"--no-mining"}})
	p, ctx := pool(t, chain.URL), t.Context()
	_, from := anviltest.Key(t, 0)
	_, to := anviltest.Key(t, 1)
	if b := must[evm.Amount](t)(p.Balance(ctx, from)); b != units(t, "10000", 18) {
		t.Errorf("the balance is %s", b)
	}
	fees := must[node.Fees](t)(p.Fees(ctx))
	if maxFee := must[evm.Amount](t)(fees.MaxFee()); !fees.Dynamic || fees.BaseFee.IsZero() || fees.GasPrice.IsZero() || maxFee.Cmp(fees.BaseFee) <= 0 {
		t.Errorf("the fees are %+v", fees)
	}
	call := evm.Call{To: &to, Value: units(t, "0.5", 18)}
	if gas := must[uint64](t)(p.Estimate(ctx, from, call)); gas != 21000 {
		t.Errorf("a payment takes %d gas", gas)
	}
	tx := signed(t, 0, call)
	if l := must[node.Lookup](t)(p.Lookup(ctx, tx.Hash)); l.Fate != node.Unknown {
		t.Errorf("before it is sent it is %+v", l)
	}
	for _, want := range []node.Outcome{node.Accepted, node.Known} {
		if s := must[node.Sent](t)(p.Send(ctx, tx)); s.Outcome != want || s.Node != chain.URL {
			t.Errorf("sent: %+v, want %s", s, want)
		}
	}
	if l := must[node.Lookup](t)(p.Lookup(ctx, tx.Hash)); l.Fate != node.Pending {
		t.Errorf("not mined it is %+v", l)
	}
	if latest, pending := must[uint64](t)(p.LatestNonce(ctx, from)), must[uint64](t)(p.PendingNonce(ctx, from)); latest != 0 || pending != 1 {
		t.Errorf("the nonces are %d and %d", latest, pending)
	}
	chain.Mine(1)
	l := must[node.Lookup](t)(p.Lookup(ctx, tx.Hash))
	if l.Fate != node.Mined || !l.Success || l.Block != 1 || l.GasUsed != 21000 || l.Price.IsZero() || l.BlockHash == (evm.Hash{}) {
		t.Errorf("mined it is %+v", l)
	}
	chain.Mine(2)
	head := must[node.Head](t)(p.Head(ctx))
	for block, want := range map[uint64]evm.Hash{1: l.BlockHash, 3: head.Hash, 4: {}} {
		if got := must[evm.Hash](t)(p.BlockHash(ctx, block)); got != want {
			t.Errorf("block %d is %s, not %s", block, got, want)
		}
	}
	if head.Number != 3 || head.Time.IsZero() || head.BaseFee == nil {
		t.Errorf("the head is %+v", head)
	}
	if s := must[node.Sent](t)(p.Send(ctx, tx)); s.Outcome != node.NonceTooLow {
		t.Errorf("sent again once it is mined: %+v", s)
	}
	if b := must[evm.Amount](t)(p.Balance(ctx, to)); b != units(t, "10000.5", 18) {
		t.Errorf("the recipient has %s", b)
	}
}

func TestWhyATransactionIsNotTaken(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{Args: []string{"--no-mining"}})
	p := pool(t, chain.URL)
	_, to := anviltest.Key(t, 1)
	pay := evm.Call{To: &to, Value: evm.NewAmount(1)}
	if s := must[node.Sent](t)(p.Send(t.Context(), signed(t, 0, pay))); s.Outcome != node.Accepted {
		t.Fatalf("%+v", s)
	}
	for name, c := range map[string]struct {
		tx   evm.Signed
		want node.Outcome
	}{
		"another of the same nonce": {signed(t, 0, evm.Call{To: &to, Value: evm.NewAmount(2)}), node.Underpriced},
		"more than there is":        {signed(t, 1, evm.Call{To: &to, Value: units(t, "20000", 18)}), node.Rejected},
		"too little gas":            {signed(t, 1, pay, func(x *evm.Tx) { x.Gas = 20000 }), node.Rejected},
		"another chain":             {signed(t, 1, pay, func(x *evm.Tx) { x.ChainID = 5 }), node.Rejected},
		"the same again":            {signed(t, 0, pay), node.Known},
		"a gap":                     {signed(t, 5, pay), node.Accepted},
	} {
		s, err := p.Send(t.Context(), c.tx)
		if err != nil || s.Outcome != c.want {
			t.Errorf("%s: %+v, %v; want %s", name, s, err, c.want)
		}
		if c.want != node.Accepted && s.Reason == "" {
			t.Errorf("%s: no reason", name)
		}
	}
}

// What is mined cannot be sent again, nor can another with its nonce.
func TestSentOnceItIsMined(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	_, to := anviltest.Key(t, 1)
	pay := evm.Call{To: &to, Value: evm.NewAmount(1)}
	chain.Send(0, pay)
	p, ctx := pool(t, chain.URL), t.Context()
	tx := signed(t, 1, pay)
	if s := must[node.Sent](t)(p.Send(ctx, tx)); s.Outcome != node.Accepted {
		t.Fatalf("%+v", s)
	}
	chain.Send(0, pay) // behind it
	if l := must[node.Lookup](t)(p.Lookup(ctx, tx.Hash)); l.Fate != node.Mined || !l.Success {
		t.Fatalf("it is %+v", l)
	}
	for name, tx := range map[string]evm.Signed{"the same": tx, "another of its nonce": signed(t, 1, evm.Call{To: &to})} {
		if s := must[node.Sent](t)(p.Send(ctx, tx)); s.Outcome != node.NonceTooLow || s.Reason == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestReverts(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	contract := chain.DeployReverter()
	p := pool(t, chain.URL)
	_, from := anviltest.Key(t, 0)
	custom := evm.Selector("TooMuch(address,uint256,uint256)")
	for name, c := range map[string]struct {
		data []byte
		want string
		kind evm.RevertKind
	}{
		"text":     {anviltest.Calldata(t, "text(string)", "too late"), "too late", evm.RevertError},
		"silent":   {anviltest.Calldata(t, "silent()"), "reverted without a reason", evm.RevertSilent},
		"custom":   {anviltest.Calldata(t, "custom(uint256)", 7), fmt.Sprintf("custom error 0x%x", custom), evm.RevertCustom},
		"assert":   {anviltest.Calldata(t, "asserts()"), "panic 0x01: an assertion failed", evm.RevertPanic},
		"overflow": {anviltest.Calldata(t, "overflows(uint256)", 1), "panic 0x11: arithmetic overflow or underflow", evm.RevertPanic},
	} {
		_, err := p.Estimate(t.Context(), from, evm.Call{To: &contract, Data: c.data})
		var r *node.Revert
		if !errors.As(err, &r) || !errors.Is(err, node.ErrReverted) || r.Reason != c.want || r.Kind != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenInfo(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	p, ctx := pool(t, chain.URL), t.Context()
	usdc := chain.DeployToken(anviltest.USDC())
	if info, err := p.TokenInfo(ctx, usdc); err != nil || info != (node.TokenInfo{Symbol: "USDC", Decimals: 6}) {
		t.Errorf("%+v, %v", info, err)
	}
	odd := chain.DeployToken(anviltest.Token{Symbol: "\x1b[31mUSDC" + strings.Repeat("C", 300), Decimals: 255})
	if info, err := p.TokenInfo(ctx, odd); !errors.Is(err, node.ErrNotAToken) {
		t.Errorf("with 255 decimals: %+v, %v", info, err)
	}
	odd = chain.DeployToken(anviltest.Token{Symbol: "\x1b[31mUSDC" + strings.Repeat("C", 300), Decimals: 18})
	if info, err := p.TokenInfo(ctx, odd); err != nil || info.Symbol != "?[31mUSDCCCCCCC…" {
		t.Errorf("%+v, %v", info, err)
	}
	if code := must[[]byte](t)(p.Code(ctx, usdc)); len(code) < 1000 {
		t.Errorf("its code has %d bytes", len(code))
	}
	for name, a := range map[string]evm.Address{"nobody": {1}, "another contract": chain.DeployReverter()} {
		if info, err := p.TokenInfo(ctx, a); !errors.Is(err, node.ErrNotAToken) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// The token of the tests believes what package evm signs.
func TestTokenTakesSignatures(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	usdc := chain.DeployToken(anviltest.USDC())
	key, from := anviltest.Key(t, 0)
	_, to := anviltest.Key(t, 1)
	message := `{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},
		{"name":"verifyingContract","type":"address"}],"TransferWithAuthorization":[{"name":"from","type":"address"},{"name":"to","type":"address"},
		{"name":"value","type":"uint256"},{"name":"validAfter","type":"uint256"},{"name":"validBefore","type":"uint256"},{"name":"nonce","type":"bytes32"}]},
		"primaryType":"TransferWithAuthorization","domain":{"name":"USDC","version":"2","chainId":84532,"verifyingContract":"` + usdc.String() + `"},
		"message":{"from":"` + from.String() + `","to":"` + to.String() + `","value":1500,"validAfter":0,"validBefore":9999999999,"nonce":"` + evm.Hash{9}.String() + `"}}`
	m := must[evm.TypedData](t)(evm.ParseTypedData([]byte(message)))
	sig := must[evm.Signature](t)(key.Sign(m.Digest())).Bytes()
	data := anviltest.Calldata(t, "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
		from, to, 1500, 0, 9999999999, evm.Hash{9}, int(sig[64]), evm.Hash(sig[:32]), evm.Hash(sig[32:64]))
	chain.Send(2, evm.Call{To: &usdc, Data: data}) // anybody may
	var got string
	chain.RPC(&got, "eth_call", map[string]any{"to": usdc, "data": "0x70a08231" + strings.Repeat("0", 24) + strings.ToLower(to.String()[2:])}, "latest")
	if !strings.HasSuffix(got, "5dc") {
		t.Errorf("the recipient has %s", got)
	}
}

// without is a proxy in front of a node that lacks methods.
func without(t testing.TB, url string, methods ...string) string {
	t.Helper()
	return proxy(t, url, func(method string, _ []byte) []byte {
		for _, m := range methods {
			if m == method {
				return []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method does not exist/is not available"}}`)
			}
		}
		return nil
	})
}

// proxy hands calls on, unless answer has one.
func proxy(t testing.TB, url string, answer func(method string, request []byte) []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var call struct{ Method string }
		_ = json.Unmarshal(body, &call)
		if a := answer(call.Method, body); a != nil {
			_, _ = w.Write(a)
			return
		}
		resp, err := http.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAChainWithoutDynamicFees(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{Args: []string{"--hardfork", "berlin"}})
	fees := must[node.Fees](t)(pool(t, chain.URL).Fees(t.Context()))
	if fees.Dynamic || fees.GasPrice.IsZero() || !fees.BaseFee.IsZero() || !fees.Tip.IsZero() {
		t.Errorf("the fees are %+v", fees)
	}
	chain = anviltest.Start(t, anviltest.Options{})
	fees = must[node.Fees](t)(pool(t, without(t, chain.URL, "eth_maxPriorityFeePerGas")).Fees(t.Context()))
	if want, _ := fees.GasPrice.Sub(fees.BaseFee); !fees.Dynamic || fees.Tip != want {
		t.Errorf("without a suggestion of tips the fees are %+v", fees)
	}
}

func TestCancelled(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	p := pool(t, chain.URL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if h := p.Health()[0]; h.State != node.Untried || h.Failures != 0 {
		t.Errorf("the node is blamed: %+v", h)
	}
}
