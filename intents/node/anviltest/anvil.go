// Package anviltest runs anvil, a chain in a process, for tests: accounts with
// coins, contracts to call, and a block for each transaction.
package anviltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
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

	t    testing.TB
	stop func()
}

// Start runs a chain until the test ends. Without anvil the test is skipped,
// unless ONECLAW_REQUIRE lists anvil: then it is installed, once.
func Start(t testing.TB, o Options) *Chain {
	t.Helper()
	binary := find(t)
	if o.ChainID == 0 {
		o.ChainID = 84532
	}
	if o.Addr == "" {
		o.Addr = free(t)
	}
	host, port, err := net.SplitHostPort(o.Addr)
	ok(t, err)
	c := &Chain{URL: "http://" + o.Addr, Addr: o.Addr, ChainID: o.ChainID, t: t}
	args := append([]string{"--host", host, "--port", port, "--chain-id", strconv.FormatUint(o.ChainID, 10), "--silent"}, o.Args...)
	c.run(binary, args)
	return c
}

// run starts the process and waits until it answers.
func (c *Chain) run(binary string, args []string) {
	c.t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	ok(c.t, cmd.Start())
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
			c.t.Fatalf("anvil ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			c.t.Fatal("anvil does not answer")
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
		return nil, fmt.Errorf("anvil: %s: %s", method, answer.Error.Message)
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
	c.RPC(nil, "anvil_mine", n)
}

// Send has anvil sign and send a transaction of account i, and returns where the
// contract is, if it makes one. The transaction has to succeed.
func (c *Chain) Send(i int, call evm.Call) (contract evm.Address) {
	c.t.Helper()
	_, from := Key(c.t, i)
	tx := map[string]any{"from": from, "value": "0x" + call.Value.Big().Text(16), "data": fmt.Sprintf("0x%x", call.Data)}
	if call.To != nil {
		tx["to"] = call.To
	}
	var hash evm.Hash
	c.RPC(&hash, "eth_sendTransaction", tx)
	var receipt *struct {
		Status          string
		ContractAddress *evm.Address
	}
	for deadline := time.Now().Add(30 * time.Second); receipt == nil; {
		if time.Now().After(deadline) {
			c.t.Fatalf("anviltest: transaction %s is not mined", hash)
		}
		c.RPC(&receipt, "eth_getTransactionReceipt", hash) // mining is beside the answer
	}
	if receipt.Status != "0x1" {
		c.t.Fatalf("anviltest: transaction %s failed", hash)
	}
	if receipt.ContractAddress != nil {
		contract = *receipt.ContractAddress
	}
	return contract
}

// free is an address of this machine that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	return l.Addr().String()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("anviltest:", err)
	}
}
