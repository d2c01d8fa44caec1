package node_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
	"github.com/oneclaw/oneclawd/internal/fault"
)

const canary = "CANARY-5ec4e7-key"

// texts is everything that an error says, causes included.
func texts(err error) string {
	var all []string
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		all = append(all, err.Error())
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		}
	}
	walk(err)
	return strings.Join(all, "\n")
}

// secretive puts credentials in a URL everywhere that one can have them.
func secretive(url string) string {
	return strings.Replace(url, "http://", "http://user:"+canary+"@", 1) + "/v3/" + canary + "?key=" + canary + "#" + canary
}

// However a node fails, the error names it, and tells nothing of what is secret
// in its URL.
func TestNodesThatFail(t *testing.T) {
	chainID := func(w http.ResponseWriter) { fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":"0x14a34"}`) }
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"5xx": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "at "+r.URL.String(), http.StatusBadGateway)
		}, "status 502"},
		"401": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "status 401"},
		"429": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "status 429"},
		"another place": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "status 307"},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>"+canary) }, "not JSON-RPC"},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, "not JSON-RPC"},
		"a list":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }, "not JSON-RPC"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"jsonrpc":"2.0",`)
		}, "cut off"},
		"followed by more": {func(w http.ResponseWriter, _ *http.Request) { chainID(w); chainID(w) }, "not JSON-RPC"},
		"to another question": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":7,"result":"0x14a34"}`)
		}, "nothing that was asked"},
		"no result": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"jsonrpc":"2.0","id":1}`) }, "nothing that was asked"},
		"null":      {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":null}`) }, "result is not one"},
		"a number":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":84532}`) }, "result is not one"},
		"a quota": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit of `+canary+` \u0000exceeded"}}`)
		}, "limit of … ?exceeded"},
		"giant": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 1<<20)) }, "more than 65536 bytes"},
		"hanging": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client left
			<-r.Context().Done()
		}, "no answer in time"},
	} {
		s := httptest.NewServer(http.HandlerFunc(c.answer))
		o := node.Options{ChainID: 84532, URLs: []string{secretive(s.URL)}, Client: s.Client(), MaxBody: 1 << 16}
		if name == "hanging" {
			o.Timeout = 50 * time.Millisecond
		}
		p, err := node.New(o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.PendingNonce(t.Context(), evm.Address{})
		said := texts(err) + fmt.Sprintf("%+v", p.Health())
		if !errors.Is(err, node.ErrUnavailable) || !strings.Contains(said, c.want) || !strings.Contains(said, s.URL) {
			t.Errorf("%s: %s", name, said)
		}
		if strings.Contains(said, canary) {
			t.Errorf("%s: tells the credentials: %s", name, said)
		}
		if h := p.Health()[0]; h.State != node.Down || h.Failures != 1 || h.Retry.IsZero() {
			t.Errorf("%s: health is %+v", name, h)
		}
		s.Close()
	}
	p := pool(t, secretive("http://127.0.0.1:1"))
	_, err := p.Head(t.Context())
	if said := texts(err); !errors.Is(err, node.ErrUnavailable) || strings.Contains(said, canary) || !strings.Contains(said, "refused") {
		t.Errorf("nobody there: %s", said)
	}
}

// What a node says with an answer that is a refusal is cleaned too.
func TestRefusalsTellNoCredentials(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	url := proxy(t, chain.URL, func(method string, _ []byte) []byte {
		if method == "eth_chainId" {
			return nil
		}
		return []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"project ` + canary + `\n\u001b[31m has no archive"}}`)
	})
	p := pool(t, secretive(url))
	_, err := p.Balance(t.Context(), evm.Address{})
	if said := texts(err); !errors.Is(err, node.ErrRefused) || strings.Contains(said, canary) || !strings.Contains(said, "project …??[31m has no archive") {
		t.Errorf("%s", said)
	}
	if h := p.Health()[0]; h.State != node.Ready {
		t.Errorf("the node is blamed: %+v", h)
	}
}

func TestANodeOfAnotherChain(t *testing.T) {
	other := anviltest.Start(t, anviltest.Options{ChainID: 1})
	right := anviltest.Start(t, anviltest.Options{})
	var asked atomic.Int32
	watched := proxy(t, other.URL, func(method string, _ []byte) []byte {
		if method != "eth_chainId" {
			asked.Add(1)
		}
		return nil
	})
	p := pool(t, watched)
	_, to := anviltest.Key(t, 1)
	tx := signed(t, 0, evm.Call{To: &to})
	_, err := p.Head(t.Context())
	_, err2 := p.Send(t.Context(), tx)
	for _, err := range []error{err, err2} {
		f := fault.As(err)
		if !errors.Is(err, node.ErrWrongChain) || !strings.Contains(f.Msg, "84532") || !strings.Contains(f.Msg, "chain 1") || !strings.Contains(texts(err), watched) {
			t.Errorf("%s", texts(err))
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("it is asked %d things", n)
	}
	if h := p.Health()[0]; h.State != node.Foreign {
		t.Errorf("health is %+v", h)
	}
	p = pool(t, watched, right.URL)
	if h, err := p.Head(t.Context()); err != nil || h.Number != 0 {
		t.Errorf("beside one that is right: %+v, %v", h, err)
	}
	if h := p.Health(); h[0].State != node.Foreign || h[1].State != node.Ready {
		t.Errorf("health is %+v", h)
	}
}

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

func TestFailOver(t *testing.T) {
	first, second := anviltest.Start(t, anviltest.Options{}), anviltest.Start(t, anviltest.Options{})
	second.Mine(5) // to tell them apart; a node may make more by itself
	var c clock
	p := must[*node.Pool](t)(node.New(node.Options{
		ChainID: 84532, URLs: []string{first.URL, second.URL}, Client: http.DefaultClient, Now: c.now,
	}))
	number := func() uint64 {
		t.Helper()
		return must[node.Head](t)(p.Head(t.Context())).Number
	}
	if n := number(); n != 0 {
		t.Fatalf("the second is asked: block %d", n)
	}
	first.Stop()
	if n := number(); n < 5 {
		t.Errorf("without the first: block %d", n)
	}
	// Another one comes in the first's place, of another chain; then the first again.
	liar := anviltest.Start(t, anviltest.Options{Addr: first.Addr, ChainID: 1})
	if n := number(); n < 5 {
		t.Errorf("too early to ask the first again: block %d", n)
	}
	c.pass(time.Minute)
	if n := number(); n < 5 {
		t.Errorf("one of another chain is believed: block %d", n)
	}
	if h := p.Health(); h[0].State != node.Foreign || h[0].Failures != 2 || h[1].State != node.Ready {
		t.Errorf("health is %+v", h)
	}
	liar.Stop()
	anviltest.Start(t, anviltest.Options{Addr: first.Addr})
	c.pass(time.Minute)
	if n := number(); n != 0 {
		t.Errorf("the first is back: block %d", n)
	}
	if h := p.Health()[0]; h.State != node.Ready || h.Failures != 0 || h.Err != "" {
		t.Errorf("health is %+v", h)
	}
}

func TestBackoff(t *testing.T) {
	var c clock
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(500) }))
	defer s.Close()
	p := must[*node.Pool](t)(node.New(node.Options{ChainID: 1, URLs: []string{s.URL}, Client: s.Client(), Now: c.now}))
	for i := range 12 {
		want := min(30*time.Second, 250*time.Millisecond<<i)
		for range 3 { // of these only the first gets through
			_, err := p.Head(t.Context())
			if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter != want {
				t.Fatalf("failure %d: %v, to be tried again after %v, want %v", i, err, f.RetryAfter, want)
			}
		}
		if n := asked.Load(); int(n) != i+1 {
			t.Fatalf("after failure %d it was asked %d times", i, n)
		}
		c.pass(want)
	}
}

// Many ask at once, of nodes that come and go.
func TestConcurrentUse(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	var n atomic.Int32
	moody := proxy(t, chain.URL, func(string, []byte) []byte {
		if n.Add(1)%5 == 0 {
			return []byte("busy")
		}
		return nil
	})
	var c clock
	p := must[*node.Pool](t)(node.New(node.Options{
		ChainID: 84532, URLs: []string{moody, chain.URL}, Client: http.DefaultClient, Now: c.now,
	}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if _, err := p.Fees(t.Context()); err != nil {
					t.Errorf("%s", texts(err))
				}
				p.Health()
				c.pass(time.Second)
			}
		})
	}
	wg.Wait()
}

// A transaction that a node may have is never reported as not sent.
func TestSendWithoutAnswer(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	_, to := anviltest.Key(t, 1)
	lossy := proxy(t, chain.URL, func(method string, body []byte) []byte {
		if method != "eth_sendRawTransaction" {
			return nil
		}
		if resp, err := http.Post(chain.URL, "application/json", strings.NewReader(string(body))); err == nil {
			resp.Body.Close()
		}
		return []byte(`{"jsonrpc"`) // it is sent, and the answer is lost
	})
	refusing := proxy(t, chain.URL, func(method string, _ []byte) []byte {
		if method != "eth_sendRawTransaction" {
			return nil
		}
		return []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"insufficient funds for gas * price + value"}}`)
	})
	tx := signed(t, 0, evm.Call{To: &to})
	for name, urls := range map[string][]string{"alone": {lossy}, "before one that refuses": {lossy, refusing}} {
		s, err := pool(t, urls...).Send(t.Context(), tx)
		if err != nil || s.Outcome != node.Unclear || s.Reason == "" || s.Node != lossy {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	// Another node knows better.
	p := pool(t, lossy, chain.URL)
	if s := must[node.Sent](t)(p.Send(t.Context(), tx)); s.Outcome != node.Unclear && s.Outcome != node.Known {
		t.Errorf("%+v", s)
	}
	for range 1000 { // mining is beside the answer
		if l := must[node.Lookup](t)(p.Lookup(t.Context(), tx.Hash)); l.Fate == node.Mined {
			return
		}
	}
	t.Error("the transaction is not mined")
}

func TestNotSentAtAll(t *testing.T) {
	_, to := anviltest.Key(t, 1)
	tx := signed(t, 0, evm.Call{To: &to})
	if s, err := pool(t, "http://127.0.0.1:1").Send(t.Context(), tx); !errors.Is(err, node.ErrUnavailable) {
		t.Errorf("%+v, %v", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	chain := anviltest.Start(t, anviltest.Options{})
	if s, err := pool(t, chain.URL).Send(ctx, tx); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", s, err)
	}
}

// A node that has not heard of a transaction does not hide that another has.
func TestLookupAsksAll(t *testing.T) {
	empty, chain := anviltest.Start(t, anviltest.Options{}), anviltest.Start(t, anviltest.Options{Args: []string{"--no-mining"}})
	_, to := anviltest.Key(t, 1)
	tx := signed(t, 0, evm.Call{To: &to})
	must[node.Sent](t)(pool(t, chain.URL).Send(t.Context(), tx))
	p := pool(t, empty.URL, chain.URL)
	if l := must[node.Lookup](t)(p.Lookup(t.Context(), tx.Hash)); l.Fate != node.Pending {
		t.Errorf("%+v", l)
	}
	chain.Mine(1)
	if l := must[node.Lookup](t)(p.Lookup(t.Context(), tx.Hash)); l.Fate != node.Mined || l.Block != 1 {
		t.Errorf("%+v", l)
	}
	chain.Stop()
	if l, err := p.Lookup(t.Context(), tx.Hash); err != nil || l.Fate != node.Unknown {
		t.Errorf("%+v, %v", l, err)
	}
}

// A node that answers with another transaction's receipt is not believed.
func TestLookupOfAnotherTransaction(t *testing.T) {
	chain := anviltest.Start(t, anviltest.Options{})
	_, to := anviltest.Key(t, 1)
	tx := signed(t, 0, evm.Call{To: &to})
	liar := proxy(t, chain.URL, func(method string, _ []byte) []byte {
		if method != "eth_getTransactionReceipt" {
			return nil
		}
		return []byte(`{"jsonrpc":"2.0","id":1,"result":{"transactionHash":"` + evm.Hash{1}.String() + `","blockHash":"` + evm.Hash{1}.String() +
			`","blockNumber":"0x1","status":"0x1","gasUsed":"0x5208"}}`)
	})
	if l, err := pool(t, liar).Lookup(t.Context(), tx.Hash); !errors.Is(err, node.ErrUnavailable) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestConfig(t *testing.T) {
	for name, o := range map[string]node.Options{
		"no client": {ChainID: 1, URLs: []string{"http://a"}}, "no chain": {URLs: []string{"http://a"}, Client: http.DefaultClient},
		"no URL": {ChainID: 1, Client: http.DefaultClient}, "a socket": {ChainID: 1, URLs: []string{"ws://" + canary}, Client: http.DefaultClient},
		"a path": {ChainID: 1, URLs: []string{"/tmp/" + canary}, Client: http.DefaultClient}, "nonsense": {ChainID: 1, URLs: []string{"http://\x00" + canary}, Client: http.DefaultClient},
	} {
		if _, err := node.New(o); !errors.Is(err, node.ErrConfig) || strings.Contains(texts(err), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := pool(t, "https://rpc.example/v1/"+canary, "https://rpc.example/v1/other")
	if h := p.Health(); h[0].Node != "https://rpc.example" || h[1].Node != "https://rpc.example#2" || h[0].State != node.Untried {
		t.Errorf("%+v", h)
	}
}
