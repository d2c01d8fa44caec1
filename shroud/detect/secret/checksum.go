package secret

import (
	"hash/crc32"
	"strings"
)

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// checksum verifies a token whose last six characters are a CRC-32 of those before, in
// base 62: the format of GitHub and npm.
func checksum(rule, token string) (checked, ok bool) {
	if rule != "github-token" && rule != "npm-token" || len(token) != 40 {
		return false, false
	}
	want, body := token[34:], token[4:34]
	sum := crc32.ChecksumIEEE([]byte(body))
	for i := len(want) - 1; i >= 0; i-- {
		if at := strings.IndexByte(base62Digits, want[i]); at < 0 || uint32(at) != sum%62 {
			return true, false
		}
		sum /= 62
	}
	return true, sum == 0
}
