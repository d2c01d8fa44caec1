// Package anviltest runs anvil, a chain in a process, for tests: accounts with
// coins, contracts to call, and a block for each transaction. Geth can take its
// place, as a second opinion.
package anviltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// Keys are those of the first accounts, which have 10,000 coins each. They are
// the same in every anvil and worth nothing elsewhere.
var Keys = []string{
	"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
}

// Options of a chain; the zero value works.
type Options struct {
	ChainID uint64   // 84532 if 0
	Addr    string   // where it listens; a free address if empty
	Args    []string // further ones of anvil's: "--no-mining"
}

// Chain is a running anvil.
type Chain struct {
	URL     string
	Addr    string
	ChainID uint64
	PID     int

	t    testing.TB
	stop func()
	geth bool
	idle bool // geth makes no blocks
}

// Start runs a chain until the test ends. Without anvil the test is skipped,
// unless ONECLAW_REQUIRE lists anvil: then it is installed, once. Where
// ONECLAW_GETH names a geth, that is run instead.
func Start(t testing.TB, o Options) *Chain {
	t.Helper()
	if o.ChainID == 0 {
		o.ChainID = 84532
	}
	if o.Addr == "" {
		o.Addr = porttest.Address(t)
	}
	host, port, err := net.SplitHostPort(o.Addr)
	ok(t, err)
	c := &Chain{URL: "http://" + o.Addr, Addr: o.Addr, ChainID: o.ChainID, t: t}
	if geth := os.Getenv("ONECLAW_GETH"); geth != "" {
		c.geth, c.idle = true, slices.Contains(o.Args, "--no-mining")
		c.run(geth, gethArgs(t, geth, o, host, port))
		for c.idle && c.number("eth_blockNumber").Sign() == 0 {
			time.Sleep(20 * time.Millisecond) // the first block is made at once, and would take what is sent
		}
		return c
	}
	args := append([]string{"--host", host, "--port", port, "--chain-id", strconv.FormatUint(o.ChainID, 10), "--silent"}, o.Args...)
	c.run(find(t), args)
	return c
}

// run starts the process and waits until it answers.
func (c *Chain) run(binary string, args []string) {
	c.t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	ok(c.t, cmd.Start())
	c.PID = cmd.Process.Pid
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	c.stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	c.t.Cleanup(func() { c.stop() })
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := c.call("eth_chainId"); err == nil {
			return
		}
		select {
		case <-ended:
			c.t.Fatalf("anviltest: the chain ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			c.t.Fatal("anviltest: the chain does not answer")
		}
	}
}

// Stop kills the chain. Its address stays free for another.
func (c *Chain) Stop() { c.stop() }

// RPC calls a method and decodes its result into out, unless that is nil.
func (c *Chain) RPC(out any, method string, params ...any) {
	c.t.Helper()
	result, err := c.call(method, params...)
	ok(c.t, err)
	if out != nil {
		ok(c.t, json.Unmarshal(result, out))
	}
}

func (c *Chain) call(method string, params ...any) (json.RawMessage, error) {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(c.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("anviltest: %s: %s", method, answer.Error.Message)
	}
	return answer.Result, nil
}

// Key is the key of account i, and its address.
func Key(t testing.TB, i int) (evm.Key, evm.Address) {
	t.Helper()
	k, err := evm.ParseKey([]byte(Keys[i]))
	ok(t, err)
	return k, k.Address()
}

// Mine makes blocks.
func (c *Chain) Mine(n int) {
	c.t.Helper()
	if c.geth {
		c.gethMines(n)
		return
	}
	c.RPC(nil, "anvil_mine", n)
}

// Send sends a transaction of account i, and returns where the contract is, if it
// makes one. The transaction has to succeed.
func (c *Chain) Send(i int, call evm.Call) (contract evm.Address) {
	c.t.Helper()
	key, _ := Key(c.t, i)
	return c.send(key, call)
}

func (c *Chain) send(key evm.Key, call evm.Call) (contract evm.Address) {
	c.t.Helper()
	tx := evm.Tx{ChainID: c.ChainID, Call: call}
	from := key.Address()
	args := map[string]any{"from": from, "value": "0x" + call.Value.Big().Text(16), "data": fmt.Sprintf("0x%x", call.Data)}
	if call.To != nil {
		args["to"] = call.To
	}
	tx.Nonce = c.number("eth_getTransactionCount", from, "pending").Uint64()
	tx.Gas = c.number("eth_estimateGas", args).Uint64()
	price := c.number("eth_gasPrice")
	var err error
	tx.GasPrice, err = evm.AmountOf(price.Add(price, price)) // the next block may want more
	ok(c.t, err)
	sig, err := key.Sign(tx.Digest())
	ok(c.t, err)
	signed, err := tx.Sign(sig)
	ok(c.t, err)
	c.RPC(nil, "eth_sendRawTransaction", fmt.Sprintf("0x%x", signed.Raw))
	var receipt *struct {
		Status          string
		ContractAddress *evm.Address
	}
	for deadline := time.Now().Add(30 * time.Second); receipt == nil; {
		if time.Now().After(deadline) {
			c.t.Fatalf("anviltest: transaction %s is not mined", signed.Hash)
		}
		// Mining is beside the answer, and geth has no receipts while it indexes.
		if result, err := c.call("eth_getTransactionReceipt", signed.Hash); err == nil {
			ok(c.t, json.Unmarshal(result, &receipt))
		}
	}
	if receipt.Status != "0x1" {
		c.t.Fatalf("anviltest: transaction %s failed", signed.Hash)
	}
	if receipt.ContractAddress != nil {
		contract = *receipt.ContractAddress
	}
	return contract
}

// number is the result of a method that is a quantity.
func (c *Chain) number(method string, params ...any) *big.Int {
	c.t.Helper()
	var text string
	c.RPC(&text, method, params...)
	n, is := new(big.Int).SetString(text, 0)
	if !is {
		c.t.Fatalf("anviltest: %s is %q", method, text)
	}
	return n
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("anviltest:", err)
	}
}
