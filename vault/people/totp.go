package people

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as authenticator apps do it; HMAC does not need more of it
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// Time-based one-time passwords (RFC 6238) as every authenticator app has them:
// SHA-1, six digits, steps of 30 seconds.
const (
	totpStep   = 30
	totpDigits = 6
	totpSecret = 20 // bytes
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// totp is the code of one step.
func totp(secret []byte, step int64) string {
	m := hmac.New(sha1.New, secret)
	_ = binary.Write(m, binary.BigEndian, step)
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	code := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff % 1_000_000
	return fmt.Sprintf("%0*d", totpDigits, code)
}

// totpMatch finds the step whose code this is, around now: clocks differ by up
// to one. Steps up to after were used already.
func totpMatch(secret []byte, code string, now time.Time, after int64) (step int64, ok bool) {
	at := now.Unix() / totpStep
	for _, candidate := range []int64{at - 1, at, at + 1} {
		right := subtle.ConstantTimeCompare([]byte(totp(secret, candidate)), []byte(code)) == 1
		if right && candidate > after && !ok {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// totpURI is what authenticator apps read from a QR code.
func totpURI(secret []byte, account string) string {
	const issuer = "1Claw"
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account}
	u.RawQuery = url.Values{
		"secret": {base32Text.EncodeToString(secret)}, "issuer": {issuer},
		"algorithm": {"SHA1"}, "digits": {fmt.Sprint(totpDigits)}, "period": {fmt.Sprint(totpStep)},
	}.Encode()
	return u.String()
}
