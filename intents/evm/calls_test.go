package evm_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/oneclaw/oneclawd/intents/evm"
)

var sender = evm.Address([]byte(strings.Repeat("\x5e", 20)))

// brief writes an effect in a line: "kind amount asset from>to @contract depth".
func brief(e evm.Effect) string {
	who := map[evm.Address]string{alice: "alice", bob: "bob", coin: "coin", target: "target", sender: "sender", {}: "-"}
	asset := string(e.Asset.Standard)
	if !e.Asset.Token.IsZero() {
		asset += ":" + who[e.Asset.Token]
	}
	if !e.Asset.ID.IsZero() {
		asset += "#" + e.Asset.ID.String()
	}
	amount := e.Amount.String()
	if e.Unlimited {
		amount = "unlimited"
	}
	s := fmt.Sprintf("%s %s %s %s>%s @%s %d", e.Kind, amount, asset, who[e.From], who[e.To], who[e.Contract], e.Depth)
	if e.Delegate {
		s += " delegate"
	}
	return s
}

func briefs(effects []evm.Effect) (out []string) {
	for _, e := range effects {
		out = append(out, brief(e))
	}
	return out
}

// What each known method does, called by sender at target with the arguments of
// testdata/ethers.mjs.
var wantCalls = map[string][]string{
	"transfer(address,uint256)":                                                                        {"transfer 5 erc20:target sender>bob @target 0"},
	"transferFrom(address,address,uint256)":                                                            {"transfer 5 unknown:target alice>bob @target 0"},
	"approve(address,uint256)":                                                                         {"approval 5 unknown:target sender>bob @target 0"},
	"increaseAllowance(address,uint256)":                                                               {"approval 5 erc20:target sender>bob @target 0"},
	"decreaseAllowance(address,uint256)":                                                               {"approval 0 erc20:target sender>bob @target 0"},
	"increaseApproval(address,uint256)":                                                                {"approval 5 erc20:target sender>bob @target 0"},
	"transferFromAndCall(address,address,uint256)":                                                     {"transfer 5 unknown:target alice>bob @target 0"},
	"transferFromAndCall(address,address,uint256,bytes)":                                               {"transfer 5 unknown:target alice>bob @target 0"},
	"send(address,uint256,bytes)":                                                                      {"transfer 5 erc20:target sender>bob @target 0"},
	"operatorSend(address,address,uint256,bytes,bytes)":                                                {"transfer 5 unknown:target alice>bob @target 0"},
	"authorizeOperator(address)":                                                                       {"approval_for_all unlimited unknown:target sender>bob @target 0"},
	"transfer(address,uint256,uint256)":                                                                {"transfer 6 erc1155:target#5 sender>bob @target 0"},
	"transferFrom(address,address,uint256,uint256)":                                                    {"transfer 6 erc1155:target#5 alice>bob @target 0"},
	"approve(address,uint256,uint256)":                                                                 {"approval 6 erc1155:target#5 sender>bob @target 0"},
	"setOperator(address,bool)":                                                                        {"approval_for_all unlimited unknown:target sender>bob @target 0"},
	"transferAndCall(address,uint256)":                                                                 {"transfer 5 erc20:target sender>bob @target 0"},
	"transferAndCall(address,uint256,bytes)":                                                           {"transfer 5 erc20:target sender>bob @target 0"},
	"approveAndCall(address,uint256)":                                                                  {"approval 5 erc20:target sender>bob @target 0"},
	"approveAndCall(address,uint256,bytes)":                                                            {"approval 5 erc20:target sender>bob @target 0"},
	"safeTransferFrom(address,address,uint256)":                                                        {"transfer 1 erc721:target#5 alice>bob @target 0"},
	"safeTransferFrom(address,address,uint256,bytes)":                                                  {"transfer 1 erc721:target#5 alice>bob @target 0"},
	"safeTransferFrom(address,address,uint256,uint256,bytes)":                                          {"transfer 6 erc1155:target#5 alice>bob @target 0"},
	"safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)":                                 {"transfer 3 erc1155:target#1 alice>bob @target 0", "transfer 4 erc1155:target#2 alice>bob @target 0"},
	"setApprovalForAll(address,bool)":                                                                  {"approval_for_all unlimited unknown:target sender>bob @target 0"},
	"permit(address,address,uint256,uint256,uint8,bytes32,bytes32)":                                    {"approval 5 erc20:target alice>bob @target 0"},
	"permit(address,address,uint256,uint256,bytes)":                                                    {"approval 5 erc20:target alice>bob @target 0"},
	"permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)":                               {"approval unlimited erc20:target alice>bob @target 0"},
	"permit(address,uint256,uint256,uint8,bytes32,bytes32)":                                            {"approval 1 erc721:target#5 ->bob @target 0"},
	"permit(address,uint256,uint256,bytes)":                                                            {"approval 1 erc721:target#5 ->bob @target 0"},
	"transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)": {"transfer 5 erc20:target alice>bob @target 0"},
	"transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)":                 {"transfer 5 erc20:target alice>bob @target 0"},
	"receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)":  {"transfer 5 erc20:target alice>bob @target 0"},
	"receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)":                  {"transfer 5 erc20:target alice>bob @target 0"},

	"approve(address,address,uint160,uint48)":                                 {"approval 5 erc20:coin sender>bob @target 0"},
	"permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)": {"approval 5 erc20:coin alice>bob @target 0"},
	"permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)": {
		"approval 5 erc20:coin alice>bob @target 0", "approval 8 erc20:bob alice>bob @target 0",
	},
	"transferFrom(address,address,uint160,address)": {"transfer 5 erc20:coin alice>bob @target 0"},
	"transferFrom((address,address,uint160,address)[])": {
		"transfer 5 erc20:coin alice>bob @target 0", "transfer 6 erc20:coin bob>alice @target 0",
	},
	"permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)":                       {"transfer 5 erc20:coin alice>bob @target 0"},
	"permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)": {"transfer 5 erc20:coin alice>bob @target 0"},
	"permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)": {
		"transfer 5 erc20:coin alice>bob @target 0", "transfer 6 erc20:coin alice>bob @target 0",
	},
	"permitWitnessTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes32,string,bytes)": {
		"transfer 5 erc20:coin alice>bob @target 0", "transfer 6 erc20:coin alice>bob @target 0",
	},

	"multicall(bytes[])":         {called, "transfer 5 erc20:target sender>bob @target 1", "transfer 5 erc20:target sender>bob @target 1"},
	"multicall(uint256,bytes[])": {called, "transfer 5 erc20:target sender>bob @target 1"},
	"multicall(bytes32,bytes[])": {called, "transfer 5 erc20:target sender>bob @target 1"},

	"aggregate((address,bytes)[])":                    {called, within, "transfer 0 native target>bob @bob 1"},
	"blockAndAggregate((address,bytes)[])":            {called, within},
	"tryAggregate(bool,(address,bytes)[])":            {called, within},
	"tryBlockAndAggregate(bool,(address,bytes)[])":    {called, within},
	"aggregate3((address,bool,bytes)[])":              {called, within},
	"aggregate3Value((address,bool,uint256,bytes)[])": {called, within, "transfer 3 native target>bob @bob 1"},
	"execute(address,uint256,bytes)":                  {called, "transfer 3 native target>coin @coin 1", within},
	"execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)": {
		called, within, "transfer unlimited erc20:coin target>bob @target 0",
	},
	"execTransactionFromModule(address,uint256,bytes,uint8)": {called, within},
	"multiSend(bytes)": {called, within, "transfer 3 native target>bob @bob 1"},
}

const (
	called = "call 0  sender>target @target 0"
	within = "transfer 5 erc20:coin target>bob @coin 1"
)

func TestEffectsOfKnownMethods(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range load(t).Calls {
		seen[c.Name] = true
		effects, err := evm.Effects(sender, evm.Call{To: &target, Data: c.Data})
		if got := briefs(effects); err != nil || !slices.Equal(got, wantCalls[c.Name]) {
			t.Errorf("%s: %v\n got %q\nwant %q", c.Name, err, got, wantCalls[c.Name])
			continue
		}
		if effects[0].Method != c.Name || effects[0].Selector != fmt.Sprintf("0x%x", []byte(c.Data[:4])) {
			t.Errorf("%s: named %s %s", c.Name, effects[0].Method, effects[0].Selector)
		}
	}
	for name := range wantCalls {
		if !seen[name] {
			t.Errorf("%s is not tried", name)
		}
	}
}

// Cut anywhere, or with anything in the bytes that have to be zero, the
// arguments of a known method are an error; what follows them is not.
func TestMalformedArguments(t *testing.T) {
	for _, c := range load(t).Calls {
		for _, data := range [][]byte{c.Data[:4], c.Data[:20], c.Data[:4+31], c.Data[:4+32]} {
			effects, err := evm.Effects(sender, evm.Call{To: &target, Data: data})
			if len(data) < len(c.Data) && (!errors.Is(err, evm.ErrCalldata) || effects != nil) {
				t.Errorf("%s cut to %d bytes: %v, %q", c.Name, len(data), err, briefs(effects))
			}
		}
		want, _ := evm.Effects(sender, evm.Call{To: &target, Data: c.Data})
		got, err := evm.Effects(sender, evm.Call{To: &target, Data: append(slices.Clone(c.Data), "a suffix"...)})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s with a suffix: %v", c.Name, err)
		}
		bad := slices.Clone(c.Data)
		bad[4] = 1 // in no method does the first word begin with anything but zero
		if name := c.Name; strings.HasPrefix(name, "multicall(uint256") || strings.HasPrefix(name, "multicall(bytes32") {
			continue // but in these, where it does not matter
		}
		if _, err := evm.Effects(sender, evm.Call{To: &target, Data: bad}); err == nil && !strings.HasPrefix(c.Name, "try") {
			t.Errorf("%s with a first word beyond its type passes", c.Name)
		}
	}
}

func TestEffectsOfOtherCalls(t *testing.T) {
	value := evm.NewAmount(7)
	unknown := []byte{1, 2, 3, 4, 5}
	send := func(to evm.Address, op byte, data []byte) []byte { // one entry of multiSend
		b := append([]byte{op}, to[:]...)
		b = append(b, make([]byte, 32)...)
		n := make([]byte, 32)
		binary.BigEndian.PutUint64(n[24:], uint64(len(data)))
		return append(append(b, n...), data...)
	}
	transfer := pack(t, "transfer(address,uint256)", bob, 5)
	for name, c := range map[string]struct {
		call evm.Call
		want []string
	}{
		"a payment":         {evm.Call{To: &bob, Value: value}, []string{"transfer 7 native sender>bob @bob 0"}},
		"of nothing":        {evm.Call{To: &bob}, []string{"transfer 0 native sender>bob @bob 0"}},
		"an unknown method": {evm.Call{To: &target, Data: unknown}, []string{called}},
		"with value":        {evm.Call{To: &target, Value: value, Data: unknown}, []string{"transfer 7 native sender>target @target 0", called}},
		"of three bytes":    {evm.Call{To: &target, Data: unknown[:3]}, []string{called}},
		"a known one with value": {evm.Call{To: &target, Value: value, Data: transfer},
			[]string{"transfer 7 native sender>target @target 0", "transfer 5 erc20:target sender>bob @target 0"}},
		"a new contract": {evm.Call{Value: value, Data: unknown}, []string{"create 7 native sender>- @- 0"}},
		"an approval without limit": {evm.Call{To: &target, Data: pack(t, "approve(address,uint256)", bob, evm.MaxAmount())},
			[]string{"approval unlimited unknown:target sender>bob @target 0"}},
		"of 96 bits": {evm.Call{To: &target, Data: pack(t, "approve(address,uint256)", bob, "0x"+strings.Repeat("ff", 12))},
			[]string{"approval unlimited unknown:target sender>bob @target 0"}},
		"nearly of 96 bits": {evm.Call{To: &target, Data: pack(t, "approve(address,uint256)", bob, "0x"+strings.Repeat("ff", 11)+"fe")},
			[]string{"approval 79228162514264337593543950334 unknown:target sender>bob @target 0"}},
		"all approvals taken back": {evm.Call{To: &target, Data: pack(t, "setApprovalForAll(address,bool)", bob, 0)},
			[]string{"approval_for_all 0 unknown:target sender>bob @target 0"}},
		// The Safe runs multiSend's code, which calls as the Safe.
		"a Safe's batch": {
			evm.Call{To: &target, Data: pack(t, "execTransactionFromModule(address,uint256,bytes,uint8)",
				alice, 0, packed(t, "multiSend(bytes)", append(send(coin, 0, transfer), send(bob, 0, nil)...)), 1)},
			[]string{
				called, "call 0  target>alice @target 1 delegate",
				"transfer 5 erc20:coin target>bob @coin 2", "transfer 0 native target>bob @bob 2",
			},
		},
		// Code that it runs as its own is not a token's, whatever its method is called.
		"foreign code": {
			evm.Call{To: &target, Data: pack(t, "execTransactionFromModule(address,uint256,bytes,uint8)", alice, 0, transfer, 1)},
			[]string{called, "call 0  target>alice @target 1 delegate"},
		},
	} {
		effects, err := evm.Effects(sender, c.call)
		if got := briefs(effects); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v\n got %q\nwant %q", name, err, got, c.want)
		}
	}
}

// packed is call data of a method that takes bytes only.
func packed(t testing.TB, name string, b []byte) []byte { return pack(t, name, b) }

// pack encodes a call with go-ethereum: addresses, numbers, hex numbers, bytes.
func pack(t testing.TB, name string, values ...any) []byte {
	t.Helper()
	m := methodOf(t, name)
	for i, v := range values {
		values[i] = goValue(t, m.Inputs[i].Type, v)
	}
	return append(m.ID[:4:4], must[[]byte](t)(m.Inputs.Pack(values...))...)
}

func TestCallsWithinCallsEnd(t *testing.T) {
	data := pack(t, "transfer(address,uint256)", bob, 5)
	for depth := 1; ; depth++ {
		data = pack(t, "multicall(bytes[])", [][]byte{data})
		effects, err := evm.Effects(sender, evm.Call{To: &target, Data: data})
		if errors.Is(err, evm.ErrCalldata) && depth > 4 {
			break
		}
		if err != nil || len(effects) != depth+1 || depth > 20 {
			t.Fatalf("%d deep: %v, %q", depth, err, briefs(effects))
		}
	}
	// A thousand places that are all the same, and that again and again.
	data = pack(t, "transfer(address,uint256)", bob, 5)
	for range 4 {
		data = aliased(data, 1000)
	}
	if _, err := evm.Effects(sender, evm.Call{To: &target, Data: data}); !errors.Is(err, evm.ErrCalldata) {
		t.Errorf("a million million calls: %v", err)
	}
}

// aliased is a multicall of one call, n times, which is there once.
func aliased(data []byte, n int) []byte {
	word := func(v int) []byte {
		w := make([]byte, 32)
		binary.BigEndian.PutUint64(w[24:], uint64(v))
		return w
	}
	out := append([]byte{0xac, 0x96, 0x50, 0xd8}, word(32)...)
	out = append(out, word(n)...)
	for range n {
		out = append(out, word(32*n)...)
	}
	return append(append(out, word(len(data))...), data...)
}

// Whatever the bytes are, what is read from them is what go-ethereum reads: its
// encoding of that has the same effects.
func FuzzEffects(f *testing.F) {
	calls := load(f).Calls
	known := map[string]abi.Method{}
	for _, c := range calls {
		f.Add([]byte(c.Data), uint64(0))
		known[c.Name] = methodOf(f, c.Name)
	}
	f.Add(aliased(pack(f, "transfer(address,uint256)", bob, 5), 3), uint64(7))
	f.Fuzz(func(t *testing.T, data []byte, value uint64) {
		c := evm.Call{To: &target, Value: evm.NewAmount(value), Data: data}
		effects, err := evm.Effects(sender, c)
		if err != nil {
			if !errors.Is(err, evm.ErrCalldata) || effects != nil {
				t.Fatalf("%v, with %q", err, briefs(effects))
			}
			return
		}
		if len(effects) == 0 {
			t.Fatal("no effect")
		}
		if value > 0 && brief(effects[0]) != fmt.Sprintf("transfer %d native sender>target @target 0", value) {
			t.Fatalf("value is not told: %q", briefs(effects))
		}
		m, ok := known[effects[len(effects)-1].Method]
		if !ok || effects[len(effects)-1].Depth > 0 {
			return
		}
		values, err := m.Inputs.UnpackValues(data[4:])
		if err != nil {
			return // arguments that have no effect are not looked at
		}
		again, err := m.Inputs.PackValues(values)
		if err != nil {
			t.Fatal(err)
		}
		c.Data = append(m.ID[:4:4], again...)
		want, err := evm.Effects(sender, c)
		if err != nil || !reflect.DeepEqual(effects, want) {
			t.Errorf("%s: %v\n got %q\nwant %q", m.Sig, err, briefs(effects), briefs(want))
		}
	})
}

func BenchmarkEffects(b *testing.B) {
	for _, c := range load(b).Calls {
		if name, _, _ := strings.Cut(c.Name, "("); name == "transfer" || name == "multiSend" || name == "aggregate3Value" {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					_, _ = evm.Effects(sender, evm.Call{To: &target, Data: c.Data})
				}
			})
		}
	}
}
