package evm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

var (
	alice  = evm.Address([]byte(strings.Repeat("\xa1", 20)))
	bob    = evm.Address([]byte(strings.Repeat("\xb0", 20)))
	coin   = evm.Address([]byte(strings.Repeat("\xc0", 20)))
	target = evm.Address([]byte(strings.Repeat("\x11", 20)))
)

// knownMessage is a message that is understood, with what it would allow.
type knownMessage struct {
	name, text string
	want       []evm.Effect
}

// typed writes a message. Fields are "type name value", the value in JSON; $A is
// alice, and so on. Structs come after the primary type.
func typed(primary string, message string, kinds map[string]string) string {
	types := map[string][]map[string]string{"EIP712Domain": {
		{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"},
	}}
	for name, fields := range kinds {
		types[name] = []map[string]string{}
		for f := range strings.SplitSeq(fields, ",") {
			kind, field, _ := strings.Cut(f, " ")
			types[name] = append(types[name], map[string]string{"type": kind, "name": field})
		}
	}
	t, _ := json.Marshal(types)
	text := fmt.Sprintf(`{"types":%s,"primaryType":%q,"domain":{"name":"x","chainId":8453,"verifyingContract":"$T"},"message":%s}`, t, primary, message)
	return strings.NewReplacer(
		"$A", alice.String(), "$B", bob.String(), "$C", coin.String(), "$T", target.String(), "$W", evm.Hash{7}.String(), "$MAX", maxText,
	).Replace(text)
}

func knownMessages(testing.TB) []knownMessage {
	const (
		permissions = "address token,uint256 amount"
		permit      = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
		details     = "address token,uint160 amount,uint48 expiration,uint48 nonce"
		one         = "TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline"
		many        = "TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline"
		authorized  = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
		authorize   = `{"from":"$A","to":"$B","value":"5","validAfter":0,"validBefore":9,"nonce":"$W"}`
		safeTx      = "address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce"
	)
	erc20 := func(a evm.Address) evm.Asset { return evm.Asset{Standard: evm.ERC20, Token: a} }
	allow := func(a evm.Asset, n uint64, from evm.Address) evm.Effect {
		return evm.Effect{Kind: evm.Approval, Asset: a, Amount: evm.NewAmount(n), From: from, To: bob}
	}
	moved := evm.Effect{Kind: evm.Transfer, Asset: erc20(target), Amount: evm.NewAmount(5), From: alice, To: bob}
	all := evm.Effect{Kind: evm.Approval, Asset: erc20(target), Amount: evm.MaxAmount(), Unlimited: true, From: alice, To: bob}
	nobody := evm.Address{}
	permitted := map[string]string{"TokenPermissions": permissions}
	with := func(m map[string]string, more ...string) map[string]string {
		out := maps.Clone(m)
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	return []knownMessage{
		{"ERC-2612", typed("Permit", `{"owner":"$A","spender":"$B","value":"5","nonce":0,"deadline":9}`, map[string]string{"Permit": permit}),
			[]evm.Effect{allow(erc20(target), 5, alice)}},
		{"ERC-2612 without limit", typed("Permit", `{"owner":"$A","spender":"$B","value":"$MAX","nonce":0,"deadline":9}`, map[string]string{"Permit": permit}),
			[]evm.Effect{all}},
		{"DAI", typed("Permit", `{"holder":"$A","spender":"$B","nonce":0,"expiry":9,"allowed":true}`,
			map[string]string{"Permit": "address holder,address spender,uint256 nonce,uint256 expiry,bool allowed"}), []evm.Effect{all}},
		{"DAI, taken back", typed("Permit", `{"holder":"$A","spender":"$B","nonce":0,"expiry":9,"allowed":false}`,
			map[string]string{"Permit": "address holder,address spender,uint256 nonce,uint256 expiry,bool allowed"}),
			[]evm.Effect{allow(erc20(target), 0, alice)}},
		{"one of ERC-721", typed("Permit", `{"spender":"$B","tokenId":5,"nonce":0,"deadline":9}`,
			map[string]string{"Permit": "address spender,uint256 tokenId,uint256 nonce,uint256 deadline"}),
			[]evm.Effect{allow(evm.Asset{Standard: evm.ERC721, Token: target, ID: evm.NewAmount(5)}, 1, nobody)}},
		{"EIP-3009 transfer", typed("TransferWithAuthorization", authorize, map[string]string{"TransferWithAuthorization": authorized}), []evm.Effect{moved}},
		{"EIP-3009 receive", typed("ReceiveWithAuthorization", authorize, map[string]string{"ReceiveWithAuthorization": authorized}), []evm.Effect{moved}},
		{"Permit2 single", typed("PermitSingle", `{"details":{"token":"$C","amount":"5","expiration":1,"nonce":0},"spender":"$B","sigDeadline":9}`,
			map[string]string{"PermitSingle": "PermitDetails details,address spender,uint256 sigDeadline", "PermitDetails": details}),
			[]evm.Effect{allow(erc20(coin), 5, nobody)}},
		{"Permit2 batch", typed("PermitBatch",
			`{"details":[{"token":"$C","amount":"5","expiration":1,"nonce":0},{"token":"$A","amount":"6","expiration":1,"nonce":0}],"spender":"$B","sigDeadline":9}`,
			map[string]string{"PermitBatch": "PermitDetails[] details,address spender,uint256 sigDeadline", "PermitDetails": details}),
			[]evm.Effect{allow(erc20(coin), 5, nobody), allow(erc20(alice), 6, nobody)}},
		{"Permit2 transfer", typed("PermitTransferFrom", `{"permitted":{"token":"$C","amount":"5"},"spender":"$B","nonce":0,"deadline":9}`,
			with(permitted, "PermitTransferFrom", one)), []evm.Effect{allow(erc20(coin), 5, nobody)}},
		{"Permit2 batch of transfers", typed("PermitBatchTransferFrom",
			`{"permitted":[{"token":"$C","amount":"5"},{"token":"$A","amount":"6"}],"spender":"$B","nonce":0,"deadline":9}`,
			with(permitted, "PermitBatchTransferFrom", many)), []evm.Effect{allow(erc20(coin), 5, nobody), allow(erc20(alice), 6, nobody)}},
		{"Permit2 with a witness", typed("PermitWitnessTransferFrom",
			`{"permitted":{"token":"$C","amount":"5"},"spender":"$B","nonce":0,"deadline":9,"witness":{"maker":"$A"}}`,
			with(permitted, "PermitWitnessTransferFrom", one+",Order witness", "Order", "address maker")), []evm.Effect{allow(erc20(coin), 5, nobody)}},
		{"Permit2 batch with a witness", typed("PermitBatchWitnessTransferFrom",
			`{"permitted":[{"token":"$C","amount":"5"}],"spender":"$B","nonce":0,"deadline":9,"witness":"$W"}`,
			with(permitted, "PermitBatchWitnessTransferFrom", many+",bytes32 witness")), []evm.Effect{allow(erc20(coin), 5, nobody)}},
		{"a Safe's transaction", typed("SafeTx",
			`{"to":"$B","value":5,"data":"0x","operation":0,"safeTxGas":0,"baseGas":0,"gasPrice":0,"gasToken":"$A","refundReceiver":"$A","nonce":1}`,
			map[string]string{"SafeTx": safeTx}),
			[]evm.Effect{{Kind: evm.Transfer, Asset: evm.Asset{Standard: evm.Native}, Amount: evm.NewAmount(5), From: target, To: bob}}},
	}
}

func TestTypedEffects(t *testing.T) {
	for _, c := range knownMessages(t) {
		m, err := evm.ParseTypedData([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, known, err := evm.TypedEffects(m)
		for i := range got { // these are in the way here
			if got[i].Contract != target && c.name != "a Safe's transaction" {
				t.Errorf("%s: believed by %s", c.name, got[i].Contract)
			}
			got[i].Contract, got[i].Method, got[i].Depth = evm.Address{}, "", 0
		}
		if err != nil || !known || !slices.Equal(got, c.want) {
			t.Errorf("%s: known is %v, %v\n got %+v\nwant %+v", c.name, known, err, got, c.want)
		}
	}
}

// A message that differs from a known one in a name or a type is another one.
func TestChangedMessagesAreNotKnown(t *testing.T) {
	change := func(name, old, new string) {
		t.Helper()
		for _, c := range knownMessages(t) {
			if c.name != name {
				continue
			}
			text := strings.ReplaceAll(c.text, old, new)
			if text == c.text {
				t.Fatalf("%s has no %s", name, old)
			}
			m, err := evm.ParseTypedData([]byte(text))
			if err != nil {
				t.Errorf("%s with %s for %s: %v", name, new, old, err)
				continue
			}
			if effects, known, err := evm.TypedEffects(m); known || err != nil || effects != nil {
				t.Errorf("%s with %s for %s: known is %v, %+v, %v", name, new, old, known, effects, err)
			}
			return
		}
		t.Fatalf("no message %q", name)
	}
	change("ERC-2612", `"spender"`, `"spendr"`)
	change("ERC-2612", `"Permit"`, `"Permit1"`)
	change("ERC-2612", `"name":"value","type":"uint256"`, `"name":"value","type":"uint128"`)
	change("ERC-2612", target.String(), evm.Address{}.String())
	change("DAI", `"allowed"`, `"allow"`)
	change("EIP-3009 transfer", "WithAuthorization", "WithAuthorisation")
	change("EIP-3009 receive", `"validBefore"`, `"validUntil"`)
	change("Permit2 single", "PermitDetails", "PermitDetail")
	change("Permit2 batch", `"amount"`, `"limit"`)
	change("Permit2 transfer", `"permitted"`, `"allowed"`)
	change("Permit2 with a witness", `"spender"`, `"to"`)
	change("Permit2 with a witness", `"token"`, `"coin"`)
	change("Permit2 with a witness", "TokenPermissions", "TokenPermission")
	change("Permit2 batch with a witness", `"permitted"`, `"allowed"`)
	change("a Safe's transaction", `"operation"`, `"mode"`)
}

func TestMessagesToNobodyAreNotKnown(t *testing.T) {
	text := knownMessages(t)[0].text
	text = strings.Replace(text, `,"verifyingContract":"`+target.String()+`"`, "", 1)
	text = strings.Replace(text, `,{"name":"verifyingContract","type":"address"}`, "", 1)
	m, err := evm.ParseTypedData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, known, _ := evm.TypedEffects(m); known {
		t.Error("it is")
	}
}
