package appliance

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// IntentsConfig sets how transactions are signed and followed.
type IntentsConfig struct {
	MaxFeeGwei    string   `toml:"max_fee_gwei" doc:"What a unit of gas may cost at most, in gwei; a transaction that offers more is refused. Empty: no cap."`
	Confirmations int      `toml:"confirmations" doc:"Blocks on top of a transaction's own before it is taken for final."`
	NodeTimeout   Duration `toml:"node_timeout" doc:"How long a chain's node may take for an answer before the next one is asked."`
}

func defaultIntents() IntentsConfig {
	return IntentsConfig{MaxFeeGwei: "1000", Confirmations: 12, NodeTimeout: Duration(10 * time.Second)}
}

const gweiDecimals = 9

// maxNodeAnswer bounds what a node may answer, in bytes: simulations are long.
const maxNodeAnswer = 8 << 20

// nodeConns are the connections to a node that are kept: as many as there may be
// callers at once who wait for it. Opening one costs more than the question.
const nodeConns = 128

func (c Config) checkIntents() error {
	switch _, err := c.Intents.maxFee(); {
	case err != nil:
		return bad("intents.max_fee_gwei", "%q is not a number of gwei", c.Intents.MaxFeeGwei)
	case c.Intents.Confirmations < 0 || c.Intents.Confirmations > 10_000:
		return bad("intents.confirmations", "%d is not between 0 and 10000", c.Intents.Confirmations)
	case c.Intents.NodeTimeout < Duration(100*time.Millisecond) || c.Intents.NodeTimeout > Duration(5*time.Minute):
		return bad("intents.node_timeout", "must be between 100ms and 5m")
	}
	return nil
}

func (c IntentsConfig) maxFee() (*evm.Amount, error) {
	if c.MaxFeeGwei == "" {
		return nil, nil
	}
	v, err := evm.ParseUnits(c.MaxFeeGwei, gweiDecimals)
	return &v, err
}

func (c *core) openIntents() {
	most, _ := c.cfg.Intents.maxFee() // checked with the configuration
	c.intents = intents.New(intents.Config{
		DB: store.Runner[intents.Tx](c.db), Vaults: c.vaults, Accounts: &c.gate, Nodes: &nodes{core: c}, Log: c.log,
		Notifier: intents.Mails{Letters: letter.Writer{Base: c.cfg.origin()}},
		MaxFee:   most, Confirmations: uint64(c.cfg.Intents.Confirmations), Rights: c.db.Generation,
		MustSimulate: func(ctx context.Context) (bool, error) {
			now, err := c.site.Current(ctx)
			return now.RequireSimulation, err
		},
	})
}

// startIntents makes ready what requests find.
func (c *core) startIntents(ctx context.Context) error {
	if err := c.intents.SeedChains(ctx); err != nil {
		return fmt.Errorf("making the registry of chains: %w", err)
	}
	if err := c.intents.Recover(ctx); err != nil {
		return fmt.Errorf("giving up transactions that were not signed: %w", err)
	}
	return nil
}

// nodes keeps one client for each chain, until its nodes are other ones. It
// implements intents.Nodes.
type nodes struct {
	core *core

	mu      sync.Mutex
	clients map[uint64]chainClient
}

type chainClient struct {
	urls   [sha256.Size]byte
	client *node.Pool
}

// Node implements intents.Nodes.
func (n *nodes) Node(c intents.Chain) (intents.Node, bool) {
	if len(c.RPC) == 0 {
		return nil, false
	}
	urls := sha256.Sum256([]byte(strings.Join(c.RPC, "\n")))
	n.mu.Lock()
	defer n.mu.Unlock()
	if have, ok := n.clients[c.ChainID]; ok && have.urls == urls {
		return have.client, true
	}
	client, err := n.connect(c)
	if err != nil {
		n.core.log.Warn("a chain's nodes cannot be used", "chain", c.Name, "err", err)
		return nil, false
	}
	if n.clients == nil {
		n.clients = make(map[uint64]chainClient)
	}
	n.clients[c.ChainID] = chainClient{urls, client}
	return client, true
}

// connect makes a client that may go where the registry says, which those who
// run the appliance wrote, and nowhere else that the egress policy forbids.
func (n *nodes) connect(c intents.Chain) (*node.Pool, error) {
	hosts := make([]string, len(c.RPC))
	for i, raw := range c.RPC {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, err
		}
		hosts[i] = hostPort(u)
	}
	ways, err := n.core.cfg.Egress.waysOut(n.core.allowsPrivate, hosts...)
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(n.core.cfg.Intents.NodeTimeout)
	return node.New(node.Options{
		ChainID: c.ChainID, URLs: c.RPC, Timeout: timeout, MaxBody: maxNodeAnswer,
		Client: ways.client(egress.ClientOptions{Timeout: timeout, MaxBody: maxNodeAnswer, Idle: nodeConns}),
	})
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := "443"
	if u.Scheme == "http" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
