package pii

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/crypto/sha3"
)

// wallet tries token i as an address of a chain, by its checksum.
func (f *finder) wallet(i int) {
	t := f.tokens[i]
	s := f.text[t.start:t.end]
	if len(s) < 25 || len(s) > 110 {
		return
	}
	score, why := walletOf(s)
	switch {
	case score > 0:
	case plausibleBase58(s) && f.topics(i, i)&aWallet != 0:
		score, why = 0.7, "an alphabet and length of wallets, and what stands before it"
	default:
		return
	}
	f.add(Match{Type: Wallet, Start: int(t.start), End: int(t.end), Score: score, Why: why})
}

func walletOf(s string) (float64, string) {
	switch {
	case len(s) == 42 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && allHex(s[2:]):
		return ethereum(s[2:])
	case strings.IndexByte("123mnLMDXTrA9", s[0]) >= 0 && len(s) <= 36:
		if base58check(s) {
			return 0.97, "an address with its checksum"
		}
	}
	if bech32(strings.ToLower(s)) && (s == strings.ToLower(s) || s == strings.ToUpper(s)) {
		return 0.97, "an address with its checksum"
	}
	return 0, ""
}

// ethereum checks the capitals of EIP-55. Without any there is nothing to
// check.
func ethereum(s string) (float64, string) {
	low := strings.ToLower(s)
	if s == low || s == strings.ToUpper(s) {
		return 0.7, "twenty bytes in hexadecimal"
	}
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(low))
	sum := hex.EncodeToString(h.Sum(nil))
	for i := range len(s) {
		if s[i] > '9' && (s[i] < 'a') != (sum[i] >= '8') {
			return 0.4, "twenty bytes in hexadecimal whose capitals do not fit"
		}
	}
	return 0.97, "an address with its checksum"
}

const (
	base58Bitcoin = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	base58Ripple  = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
)

// base58check reports whether s is 21 bytes and four of their double hash.
func base58check(s string) bool {
	alphabet := base58Bitcoin
	if s[0] == 'r' {
		alphabet = base58Ripple
	}
	var raw [25]byte
	for i := range len(s) {
		carry := strings.IndexByte(alphabet, s[i])
		if carry < 0 {
			return false
		}
		for j := len(raw) - 1; j >= 0; j-- {
			carry += int(raw[j]) * 58
			raw[j] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return false
		}
	}
	once := sha256.Sum256(raw[:21])
	twice := sha256.Sum256(once[:])
	return bytes.Equal(twice[:4], raw[21:])
}

// plausibleBase58 reports whether s could be an address without a checksum:
// Solana's 32 bytes, Monero's 95 characters.
func plausibleBase58(s string) bool {
	if len(s) != 43 && len(s) != 44 && len(s) != 95 {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte(base58Bitcoin, s[i]) < 0 {
			return false
		}
	}
	return true
}

const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// bech32 checks BIP 173's and BIP 350's addresses of the chains that have them.
func bech32(s string) bool {
	cut := strings.LastIndexByte(s, '1')
	if cut < 2 || len(s)-cut < 30 {
		return false
	}
	switch s[:cut] {
	case "bc", "tb", "bcrt", "ltc", "tltc", "addr", "addr_test", "cosmos", "osmo":
	default:
		return false
	}
	chk := uint32(1)
	for i := range cut {
		chk = polymod(chk, s[i]>>5)
	}
	chk = polymod(chk, 0)
	for i := range cut {
		chk = polymod(chk, s[i]&31)
	}
	for i := cut + 1; i < len(s); i++ {
		v := strings.IndexByte(bech32Alphabet, s[i])
		if v < 0 {
			return false
		}
		chk = polymod(chk, byte(v))
	}
	return chk == 1 || chk == 0x2bc830a3
}

func polymod(chk uint32, v byte) uint32 {
	top := chk >> 25
	chk = chk&0x1ffffff<<5 ^ uint32(v)
	for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			chk ^= g
		}
	}
	return chk
}
