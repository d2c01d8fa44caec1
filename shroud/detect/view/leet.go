package view

// leet has the letters that digits and signs stand for.
var leet = [256]byte{'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g', '@': 'a', '$': 's', '!': 'i', '|': 'l', '+': 't'}

// manyLeet reports whether a good part of the words of s have digits or signs
// inside or for letters. Few do in code, versions and addresses.
func manyLeet(s string) bool {
	words, odd := 0, 0
	for i := 0; i < len(s); {
		j, letters, digits, others := i, 0, 0, 0
		for ; j < len(s) && s[j] > ' '; j++ {
			switch b := s[j]; {
			case asciiLetter(b):
				letters++
			case leet[b] != 0 && (b != '!' || j+1 < len(s) && asciiLetter(s[j+1])):
				digits++
			case b == '.' || b == ',' || b == '\'' || b == '?' || b == '!':
			default:
				others++
			}
		}
		if letters+digits > 0 {
			words++
		}
		if letters > 0 && digits > 0 && others == 0 && letters+digits <= 20 {
			odd++
		}
		for i = max(j, i+1); i < len(s) && s[i] <= ' '; {
			i++
		}
	}
	return odd >= 2 && odd*4 >= words
}

// plainLetters writes letters for what stands for them. A one is an i or an l,
// whichever goes better with its neighbours.
func plainLetters(s string) string {
	out := []byte(s)
	for i, b := range out {
		if leet[b] != 0 && (b != '!' || i+1 < len(s) && s[i+1] > ' ') {
			out[i] = leet[b]
		}
		if b == '1' && i > 0 {
			out[i] = iOrL(out, s, i)
		}
	}
	return string(out)
}

func iOrL(out []byte, s string, i int) byte {
	before, after := out[i-1]|0x20, byte(0)
	if i+1 < len(s) {
		if after = s[i+1] | 0x20; leet[s[i+1]] != 0 {
			after = leet[s[i+1]]
		}
	}
	total := func(b byte) (sum int) {
		if asciiLetter(before) {
			sum += cost(before, b)
		}
		if asciiLetter(after) {
			sum += cost(b, after)
		}
		return sum
	}
	if total('l') < total('i') {
		return 'l'
	}
	return 'i'
}
