package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
)

const (
	// signingKey is a private key that is worth nothing, and signer its address.
	signingKey = "8f2a559490ecb80d5d5c3a4a2b5b7c0f2c8b4a7f1d6e3a9c5b1f0e7d8c6a4b21"
	signer     = "0xA85d65A8773FD4b5F675244133228C1B64265CB5"
	somebody1  = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" // who is paid
	somebody2  = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
	tokenUSD   = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48" // a contract
)

// leaked finds the canary in a text, or the signing key in any of its spellings.
func leaked(text string) (what string, found bool) {
	raw, err := hex.DecodeString(signingKey)
	if err != nil {
		panic(err)
	}
	switch {
	case strings.Contains(text, canary):
		return "the canary", true
	case strings.Contains(text, signingKey), strings.Contains(text, strings.ToUpper(signingKey)), strings.Contains(text, string(raw)),
		strings.Contains(text, base64.RawStdEncoding.EncodeToString(raw)), strings.Contains(text, base64.RawURLEncoding.EncodeToString(raw)):
		return "the signing key", true
	}
	return "", false
}

// chainNodes are the nodes of chains, none until a test gives one some. It
// implements intents.Nodes.
type chainNodes struct {
	mu sync.Mutex
	by map[uint64]*fakeNode
}

// Node implements intents.Nodes.
func (c *chainNodes) Node(ch intents.Chain) (intents.Node, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.by[ch.ChainID]
	return n, ok
}

// node gives a chain one.
func (l *live) node(chain uint64) *fakeNode {
	n := &fakeNode{pool: map[evm.Hash]bool{}}
	l.nodes.mu.Lock()
	defer l.nodes.mu.Unlock()
	if l.nodes.by == nil {
		l.nodes.by = map[uint64]*fakeNode{}
	}
	l.nodes.by[chain] = n
	return n
}

// intentsOf is the service, as the appliance wires it.
func (l *live) intentsOf(vaults *vault.Service) *intents.Service {
	l.Helper()
	s := intents.New(intents.Config{
		DB: store.Runner[intents.Tx](l.db), Vaults: vaults, Accounts: l.gate, Nodes: &l.nodes, Now: l.clock.Now, Confirmations: 3, MaxFee: maxFee(),
	})
	l.ok(s.SeedChains(l.Context()))
	return s
}

// maxFee is the cap of test appliances: 1000 gwei.
func maxFee() *evm.Amount {
	cap := evm.NewAmount(1_000_000_000_000)
	return &cap
}

// fakeNode is a node that takes what it is shown into its pool and makes no
// blocks. It implements intents.Node.
type fakeNode struct {
	mu      sync.Mutex
	pool    map[evm.Hash]bool
	pending uint64
	refuses bool          // everything
	reverts bool          // whatever is simulated
	down    bool          // does not answer
	asked   chan struct{} // closed when it is shown something, if it is there
	answers chan struct{} // closed when it may answer that, if it is there
}

var errNodeDown = errors.New("no answer")

func (n *fakeNode) up() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return intents.ErrNodeDown.Because(errNodeDown)
	}
	return nil
}

// PendingNonce implements intents.Node.
func (n *fakeNode) PendingNonce(context.Context, evm.Address) (uint64, error) {
	return n.pending, n.up()
}

// LatestNonce implements intents.Node.
func (n *fakeNode) LatestNonce(context.Context, evm.Address) (uint64, error) { return 0, n.up() }

// Fees implements intents.Node.
func (n *fakeNode) Fees(context.Context) (node.Fees, error) {
	return node.Fees{Dynamic: true, BaseFee: evm.NewAmount(7_000_000_000), Tip: evm.NewAmount(1_000_000_000)}, n.up()
}

// Estimate implements intents.Node.
func (n *fakeNode) Estimate(context.Context, evm.Address, evm.Call) (uint64, error) {
	return 30_000, n.up()
}

// Head implements intents.Node.
func (n *fakeNode) Head(context.Context) (node.Head, error) { return node.Head{Number: 100}, n.up() }

// BlockHash implements intents.Node.
func (n *fakeNode) BlockHash(context.Context, uint64) (evm.Hash, error) { return evm.Hash{}, n.up() }

// Health implements intents.Node.
func (n *fakeNode) Health() []node.Health { return nil }

// Balance implements intents.Node.
func (n *fakeNode) Balance(context.Context, evm.Address) (evm.Amount, error) {
	return evm.NewAmount(1_500_000_000_000_000_000), n.up()
}

// TokenInfo implements intents.Node.
func (n *fakeNode) TokenInfo(context.Context, evm.Address) (node.TokenInfo, error) {
	return node.TokenInfo{Symbol: "USDC", Decimals: 6}, n.up()
}

// Simulate implements intents.Node: the sender has a coin and a half.
func (n *fakeNode) Simulate(_ context.Context, calls []node.SimCall, _ uint64) ([]node.SimResult, error) {
	out := make([]node.SimResult, len(calls))
	has := evm.NewAmount(1_500_000_000_000_000_000)
	for i, c := range calls {
		left, err := has.Sub(c.Value)
		switch {
		case n.reverts:
			out[i] = node.SimResult{Status: node.SimReverted, GasUsed: 23_000, Reason: "not today"}
		case err != nil:
			out[i] = node.SimResult{Status: node.SimError, Reason: "insufficient funds"}
		default:
			out[i] = node.SimResult{Status: node.SimSuccess, GasUsed: 21_000, Changes: []node.Change{
				{Address: c.From, Asset: evm.Asset{Standard: evm.Native}, Before: has, After: left},
			}}
			has = left
		}
	}
	return out, n.up()
}

// Send implements intents.Node.
func (n *fakeNode) Send(_ context.Context, tx evm.Signed) (node.Sent, error) {
	if n.asked != nil {
		close(n.asked)
		<-n.answers
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuses {
		return node.Sent{Outcome: node.Rejected, Reason: "insufficient funds for gas * price + value"}, nil
	}
	n.pool[tx.Hash] = true
	return node.Sent{Outcome: node.Accepted}, nil
}

// Lookup implements intents.Node.
func (n *fakeNode) Lookup(_ context.Context, h evm.Hash) (node.Lookup, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pool[h] {
		return node.Lookup{Fate: node.Pending}, nil
	}
	return node.Lookup{Fate: node.Unknown}, nil
}

// withAccounts is a module that has account keys, which hsm/local has not.
type withAccounts struct {
	*local.Module
	hsm.AccountKeys
}

// payer is an agent of the Intents API with the signing key of ethereum, in a
// vault of the owner's.
type payer struct {
	made
	vault string
	url   string // of its transactions
}

// payer makes one by the name that steps use; more is as in agent.
func (l *live) payer(name, more string) payer {
	l.Helper()
	p := payer{made: l.agent(name, `,"intents_api_enabled":true`+more), vault: l.vault("owner", "keys of "+name)}
	p.url = "/v1/agents/" + p.id + "/transactions"
	l.putKey(p.vault, "keys/ethereum-signer")
	l.grant("owner", p.vault, p.made, "keys/**", `["read"]`, "")
	l.renew(name, p.made)
	return p
}

// putKey puts the signing key at a path.
func (l *live) putKey(vault, path string) {
	l.Helper()
	l.want(step{method: put, url: vault + "/secrets/" + path, as: "owner", body: `{"value":"0x` + signingKey + `","type":"private_key"}`, status: 201})
}

// fees are enough, for chains without nodes.
const fees = `,"max_fee_per_gas":"2000000000","max_priority_fee_per_gas":"1000000000"`

// pay is a transfer that needs no node; more is further members, each with a
// leading comma.
func pay(to, value, more string) string {
	return fmt.Sprintf(`{"to":%q,"value":%q,"chain":"ethereum"%s%s}`, to, value, fees, more)
}

// signedTx reads what was signed, and by whom.
func signedTx(t testing.TB, text string) (evm.Tx, evm.Address) {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || !strings.HasPrefix(text, "0x") {
		t.Fatalf("not hex with 0x: %s", text)
	}
	tx, from, err := evmtest.ParseSigned(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tx, from
}
