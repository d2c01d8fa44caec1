package node_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// says is a node that answers everything with the same bytes, once it has said
// which chain it is of.
type says []byte

func (s says) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	answer := []byte(s)
	if bytes.Contains(body, []byte("eth_chainId")) {
		answer = []byte(`{"jsonrpc":"2.0","id":1,"result":"0x14a34"}`)
	}
	return &http.Response{StatusCode: 200, Request: req, Body: io.NopCloser(bytes.NewReader(answer))}, nil
}

// Whatever a node answers, the result is one, or an error that is a fault with a
// text of printable characters.
func FuzzAnswers(f *testing.F) {
	for _, result := range []string{
		`"0x1"`, `null`, `"0x"`, `{"number":"0x1","timestamp":"0x1","hash":"` + evm.Hash{1}.String() + `","baseFeePerGas":"0x7"}`,
		`{"transactionHash":"` + evm.Hash{}.String() + `","blockHash":"` + evm.Hash{1}.String() + `","blockNumber":"0x1","status":"0x1","gasUsed":"0x5208"}`,
		`[{"calls":[{"status":"0x1","gasUsed":"0x5208","returnData":"0x","logs":[{"address":"` + evm.Address{1}.String() + `","topics":[],"data":"0x"}]}]}]`,
		`{"gasUsed":"0x1","output":"0x","logs":[],"calls":[{"error":"x"}],"pre":{},"post":{}}`,
	} {
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":` + result + `}`))
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted: x","data":"0x08c379a0"}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32015,"message":"VM execution error","data":"Reverted 0x"}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		ask := func() *node.Pool { // anew, since one that failed would not be asked again
			return must[*node.Pool](t)(node.New(node.Options{
				ChainID: 84532, URLs: []string{"http://node.example"}, Client: &http.Client{Transport: says(answer)}, MaxBody: 1 << 16,
			}))
		}
		ctx, to := t.Context(), evm.Address{1}
		var errs []error
		note := func(err error) { errs = append(errs, err) }
		_, err := ask().PendingNonce(ctx, to)
		note(err)
		_, err = ask().Fees(ctx)
		note(err)
		_, err = ask().Estimate(ctx, to, evm.Call{To: &to})
		note(err)
		_, err = ask().TokenInfo(ctx, to)
		note(err)
		_, err = ask().Lookup(ctx, evm.Hash{})
		note(err)
		s, err := ask().Send(ctx, evm.Signed{Raw: []byte{1}, Hash: evm.Hash{1}})
		note(err)
		if err == nil && s.Outcome == "" {
			t.Error("no outcome")
		}
		results, err := ask().Simulate(ctx, []node.SimCall{{From: to, Call: evm.Call{To: &to}}}, 0)
		note(err)
		if err == nil && (len(results) != 1 || results[0].Status == "" || results[0].Method == "") {
			t.Errorf("%+v", results)
		}
		for _, err := range errs {
			if err == nil {
				continue
			}
			var said *fault.Error
			if !errors.As(err, &said) {
				t.Fatalf("not a fault: %v", err)
			}
			for _, text := range []string{said.Msg, s.Reason} {
				if bytes.ContainsFunc([]byte(text), func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
					t.Errorf("%q", text)
				}
			}
		}
		_, _ = json.Marshal(results)
	})
}
