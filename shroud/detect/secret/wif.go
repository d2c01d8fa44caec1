package secret

import (
	"crypto/sha256"
	"math/big"
	"strings"
)

// base58Digits are the digits of Bitcoin's numbers.
const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

var base58 = func() (t [256]bool) {
	for _, c := range []byte(base58Digits) {
		t[c] = true
	}
	return t
}()

// wif looks for the private keys of Bitcoin's wallets, which have a checksum and no
// prefix: 51 or 52 digits. It looks at every fiftieth byte only, where there are no such runs.
func (s *scan) wif() {
	const shortest = 51
	t := s.text
	for i := 0; i+shortest <= len(t); {
		k := i + shortest - 1
		for k >= i && base58[t[k]] {
			k--
		}
		if k >= i {
			i = k + 1
			continue
		}
		end := i + shortest
		for end < len(t) && base58[t[end]] {
			end++
		}
		if v := t[i:end]; begins(t, i) && wifKey(v) && s.spend(16*len(v)) {
			s.report(Match{Rule: "wallet-key", Start: i, End: end, Severity: Critical, Score: 0.98, Why: "it has the form and the checksum of a wallet's private key"})
		}
		i = end
	}
}

// wifKey reports whether v is a key in the import format, of any network that has one.
func wifKey(v string) bool {
	if len(v) != 51 && len(v) != 52 {
		return false
	}
	n := new(big.Int)
	for i := range len(v) {
		n.Mul(n, big.NewInt(58)).Add(n, big.NewInt(int64(strings.IndexByte(base58Digits, v[i]))))
	}
	b := n.Bytes() // the network, 32 bytes, perhaps a one, four bytes of checksum
	if len(b) != 37 && (len(b) != 38 || b[33] != 1) {
		return false
	}
	once := sha256.Sum256(b[:len(b)-4])
	twice := sha256.Sum256(once[:])
	return string(twice[:4]) == string(b[len(b)-4:])
}
