package evm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// The example of EIP-712, and what ethers makes of everything that types can be.
const mail = `{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},
{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
"Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],
"Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},{"name":"contents","type":"string"}]},
"primaryType":"Mail",
"domain":{"name":"Ether Mail","version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
"message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
"to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},"contents":"Hello, Bob!"}}`

func TestMailExample(t *testing.T) {
	m := must[evm.TypedData](t)(evm.ParseTypedData([]byte(mail)))
	if d := m.Digest().String(); d != "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2" {
		t.Errorf("the digest is %s", d)
	}
	if s := m.Type(); s != "Mail(Person from,Person to,string contents)Person(string name,address wallet)" {
		t.Errorf("the type is %s", s)
	}
	d := m.Domain()
	if d.Name != "Ether Mail" || d.Version != "1" || d.ChainID != 1 || d.Contract.String() != "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC" {
		t.Errorf("the domain is %+v", d)
	}
	cow := must[evm.Key](t)(evm.ParseKey([]byte("c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4")))
	if a := cow.Address().String(); a != "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" {
		t.Errorf("the cow is %s", a)
	}
	want := "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
	if sig := must[evm.Signature](t)(cow.Sign(m.Digest())).Bytes(); !bytes.Equal(sig, unhex(t, want)) {
		t.Errorf("signed as %x", sig)
	}
}

func TestMessagesAreTheSameAsEthers(t *testing.T) {
	v := load(t)
	for i, c := range v.Typed {
		m, err := evm.ParseTypedData([]byte(c.Text))
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if m.Digest() != c.Digest || m.Type() != c.Type {
			t.Errorf("%d: %s %s, not %s %s", i, m.Digest(), m.Type(), c.Digest, c.Type)
		}
		k := must[evm.Key](t)(evm.ParseKey([]byte(c.Key)))
		if sig := must[evm.Signature](t)(k.Sign(m.Digest())).Bytes(); !bytes.Equal(sig, c.Signature) {
			t.Errorf("%d: signed as %x, not %x", i, sig, c.Signature)
		}
	}
	for _, c := range v.Personal {
		if d := evm.PersonalHash([]byte(c.Text)); d != c.Digest {
			t.Errorf("%q: %s, not %s", c.Text, d, c.Digest)
		}
	}
}

// Each change of one thing makes a message that is refused, and whose error does
// not repeat what is in it.
func TestMessagesThatAreRefused(t *testing.T) {
	const base = `{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"}],"M":[{"name":"v","type":"TYPE"}]},` +
		`"primaryType":"M","domain":{"chainId":1},"message":{"v":VALUE}}`
	of := func(kind, value string) string {
		return strings.NewReplacer("TYPE", kind, "VALUE", value).Replace(base)
	}
	change := func(old, new string) string {
		if !strings.Contains(of("bool", "true"), old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(of("bool", "true"), old, new, 1)
	}
	for _, good := range []string{
		of("bool", "true"), of("int8", "-128"), of("uint8", `"255"`), of("uint8", `"0xff"`), of("bytes3", `"0x0102ff"`),
		of("uint8[2]", "[1,2]"), of("uint8[][2]", "[[],[1]]"), of("string", `"canary"`), of("M[]", "[]"),
	} {
		if _, err := evm.ParseTypedData([]byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for name, in := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "cut off": of("bool", "true")[:40], "followed": of("bool", "true") + "{}",
		"bad text": of("string", "\"\xff\""), "large": of("string", `"`+strings.Repeat("x", 1<<18)+`"`),
		"deep":            of("string", strings.Repeat("[", 100)+strings.Repeat("]", 100)),
		"many":            of("uint8[]", "["+strings.Repeat("1,", 20000)+"1]"),
		"key twice":       change(`"message":{`, `"message":{"v":false,`),
		"key twice, esc":  change(`"message":{`, `"message":{"\u0076":false,`),
		"more at the top": change(`"primaryType"`, `"account":"x","primaryType"`), "no domain": change(`"domain":{"chainId":1},`, ""),
		"primary missing": change(`"primaryType":"M"`, `"primaryType":"N"`), "primary the domain": change(`"primaryType":"M"`, `"primaryType":"EIP712Domain"`),
		"no domain type": change("EIP712Domain", "Other"), "domain field of another name": change(`"name":"chainId"`, `"name":"chainID"`),
		"domain field of another type": change("uint256", "uint64"), "domain without its field": change(`"chainId":1`, ""),
		"domain with another field": change(`"chainId":1`, `"chainId":1,"name":"x"`), "no chain": change(`"chainId":1`, `"chainId":0`),
		"chain out of range": change(`"chainId":1`, `"chainId":"18446744073709551616"`),
		"field missing":      change(`"v":true`, ""), "field more": change(`"v":true`, `"v":true,"w":1`), "field of another name": change(`"v":true`, `"w":true`),
		"field twice":      change(`{"name":"v","type":"bool"}`, `{"name":"v","type":"bool"},{"name":"v","type":"bool"}`),
		"field with more":  change(`"type":"bool"`, `"type":"bool","indexed":true`),
		"forged field":     change(`"name":"v"`, `"name":"v,bool w"`),
		"forged type":      change(`"M":[{`, `"M(bool w)":[{`),
		"type of a type":   change(`"M":[{`, `"bool":[],"M":[{`),
		"empty name":       change(`"name":"v"`, `"name":""`),
		"undeclared":       of("Canary", "{}"),
		"undeclared array": of("Canary[]", "[]"),
		"uint":             of("uint", "1"), "int": of("int", "1"), "uint7": of("uint7", "1"), "uint264": of("uint264", "1"), "bytes0": of("bytes0", `"0x"`),
		"bytes33": of("bytes33", `"0x"`), "fixed": of("fixed128x18", "1"), "function": of("function", `"0x"`), "five dimensions": of("bool[][][][][]", "[]"),
		"array of -1": of("bool[-1]", "[]"), "array of 01": of("bool[01]", "[true]"), "space": of("bool ", "true"),
		"too few": of("bool[2]", "[true]"), "too many": of("bool[2]", "[true,true,true]"), "not an array": of("bool[]", "true"), "null in an array": of("bool[]", "[null]"),
		"bool as text": of("bool", `"true"`), "bool as number": of("bool", "1"), "null bool": of("bool", "null"), "null struct": of("M", "null"),
		"uint8 256": of("uint8", "256"), "uint8 -1": of("uint8", "-1"), "int8 128": of("int8", "128"), "int8 -129": of("int8", "-129"), "int8 200": of("int8", "200"),
		"exponent": of("uint256", "1e3"), "fraction": of("uint256", "1.0"), "fraction as text": of("uint256", `"1.5"`), "leading zero": of("uint256", `"01"`),
		"2^256": of("uint256", `"0x1`+strings.Repeat("0", 64)+`"`), "empty number": of("uint256", `""`), "0x": of("uint256", `"0x"`), "spaced": of("uint256", `" 1"`),
		"int256 2^255": of("int256", `"0x8`+strings.Repeat("0", 63)+`"`), "number as text": of("string", "1"),
		"text as bytes": of("bytes", `"canary"`), "odd bytes": of("bytes", `"0x1"`), "short bytes": of("bytes4", `"0x010203"`), "long bytes": of("bytes4", `"0x0102030405"`),
		"unprefixed bytes": of("bytes4", `"01020304"`), "short address": of("address", `"0x01"`),
		"mistyped address": of("address", `"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD825"`), "address as number": of("address", "1"),
	} {
		_, err := evm.ParseTypedData([]byte(in))
		if !errors.Is(err, evm.ErrTypedData) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "anary") {
			t.Errorf("%s: the error quotes the message: %v", name, err)
		}
	}
}

// go-ethereum reads less strictly, and hashes what both read to the same.
func FuzzTypedData(f *testing.F) {
	f.Add([]byte(mail))
	for _, c := range load(f).Typed {
		f.Add([]byte(c.Text))
	}
	for _, c := range knownMessages(f) {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := evm.ParseTypedData(raw)
		if err != nil {
			return
		}
		if _, _, err := evm.TypedEffects(m); err != nil && !errors.Is(err, evm.ErrCalldata) {
			t.Fatal(err)
		}
		want, ok := oracle(raw)
		if ok && evm.Hash(want) != m.Digest() {
			t.Errorf("hashed to %s, by go-ethereum to %x", m.Digest(), want)
		}
	})
}

// oracle is go-ethereum's hash. It panics on some messages that make sense, and
// takes no large numbers that are not in quotes.
func oracle(raw []byte) (digest []byte, ok bool) {
	defer func() { ok = recover() == nil && ok }()
	var d apitypes.TypedData
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, false
	}
	digest, _, err := apitypes.TypedDataAndHash(d)
	return digest, err == nil
}

func TestOracleKnows(t *testing.T) {
	for i, c := range load(t).Typed {
		if want, ok := oracle([]byte(c.Text)); i != 1 && (!ok || evm.Hash(want) != c.Digest) {
			t.Errorf("%d: %x, %v", i, want, ok)
		}
	}
}
