package backup

// bech32 is BIP 173's encoding without its limit of length: how age spells keys. Only
// age reads it, which checks it.
func bech32(hrp string, data []byte) string {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	words := fiveBits(data)
	sum := make([]byte, 0, 2*len(hrp)+1+len(words)+6)
	for i := range len(hrp) {
		sum = append(sum, hrp[i]>>5)
	}
	sum = append(sum, 0)
	for i := range len(hrp) {
		sum = append(sum, hrp[i]&31)
	}
	sum = append(append(sum, words...), 0, 0, 0, 0, 0, 0)
	check := polymod(sum) ^ 1
	for i := range 6 {
		words = append(words, byte(check>>(5*(5-i)))&31)
	}
	out := append(make([]byte, 0, len(hrp)+1+len(words)), hrp+"1"...)
	for _, w := range words {
		out = append(out, alphabet[w])
	}
	return string(out)
}

// fiveBits cuts data into groups of five bits, the last one filled up with zeros.
func fiveBits(data []byte) (words []byte) {
	acc, bits := uint32(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for ; bits >= 5; bits -= 5 {
			words = append(words, byte(acc>>(bits-5))&31)
		}
	}
	if bits > 0 {
		words = append(words, byte(acc<<(5-bits))&31)
	}
	return words
}

// polymod is the checksum's remainder.
func polymod(values []byte) uint32 {
	check := uint32(1)
	for _, v := range values {
		top := check >> 25
		check = (check&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	return check
}
