package anviltest

import (
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// A second opinion: where ONECLAW_GETH names a geth, it is every chain instead of
// anvil. Its texts and answers are others, and it takes less.

// idle makes geth mine by the clock, and that far away: not at all.
const idle = "3600"

// gethArgs prepares a chain of geth's in a folder of its own and says how to run
// it. What only anvil can do skips the test.
func gethArgs(t testing.TB, binary string, o Options, host, port string) []string {
	t.Helper()
	dir := t.TempDir()
	written := filepath.Join(dir, "genesis.json")
	ok(t, os.WriteFile(written, genesis(t, binary, o.ChainID), 0o600))
	data := filepath.Join(dir, "data")
	if out, err := exec.Command(binary, "init", "--datadir", data, written).CombinedOutput(); err != nil {
		t.Fatalf("anviltest: geth init: %v\n%s", err, out)
	}
	args := []string{
		"--dev", "--datadir", data, "--http", "--http.addr", host, "--http.port", port, "--http.api", "eth,net,web3,debug,txpool",
		"--nodiscover", "--maxpeers", "0", "--ipcdisable", "--authrpc.port", "0", "--verbosity", "2",
	}
	for _, arg := range o.Args {
		if arg != "--no-mining" {
			t.Skipf("geth has no %s", arg)
		}
		args = append(args, "--dev.period", idle)
	}
	return args
}

// genesis is that of geth's own developer chain with the rules that are in force
// today, not those of forks to come, which price gas otherwise; and with the
// accounts of anvil's.
func genesis(t testing.TB, binary string, chain uint64) []byte {
	t.Helper()
	text, err := exec.Command(binary, "--dev", "dumpgenesis").Output()
	ok(t, err)
	var g struct {
		Config map[string]any `json:"config"`
		Alloc  map[string]any `json:"alloc"`
	}
	all := map[string]any{}
	ok(t, json.Unmarshal(text, &all))
	ok(t, json.Unmarshal(text, &g))
	for _, fork := range []string{"amsterdamTime", "bogotaTime"} {
		delete(g.Config, fork)
	}
	g.Config["chainId"] = chain
	if blobs, is := g.Config["blobSchedule"].(map[string]any); is && blobs["osaka"] == nil {
		blobs["osaka"] = blobs["prague"]
	}
	rich := new(big.Int).Exp(big.NewInt(10), big.NewInt(22), nil) // 10,000 coins
	for _, k := range append(slices.Clone(Keys), minersKey) {
		key, err := evm.ParseKey([]byte(k))
		ok(t, err)
		g.Alloc[key.Address().String()] = map[string]string{"balance": "0x" + rich.Text(16)}
	}
	all["config"], all["alloc"] = g.Config, g.Alloc
	out, err := json.Marshal(all)
	ok(t, err)
	return out
}

// minersKey pays itself nothing, to have geth make a block: it makes none of no
// transactions.
const minersKey = "0x1000000000000000000000000000000000000000000000000000000000000001"

// gethMines has geth make blocks, one of each transaction.
func (c *Chain) gethMines(n int) {
	c.t.Helper()
	if c.idle {
		c.t.Skip("geth mines what it has or nothing; not when it is told to")
	}
	key, err := evm.ParseKey([]byte(minersKey))
	ok(c.t, err)
	to := key.Address()
	for range n {
		c.send(key, evm.Call{To: &to})
	}
}
