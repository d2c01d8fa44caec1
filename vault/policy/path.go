package policy

// MaxLength is the longest path or pattern, in bytes.
const MaxLength = 512

// CanonicalPath reports whether path is the one spelling of a secret path:
// segments of ASCII letters, digits, '_' and '-', joined by single slashes,
// beginning and ending with a letter or digit, at most MaxLength bytes.
//
// The alphabet is what rules normalisation out: it has no dot (so no dot
// segments), no percent sign, no backslash, no space and no letter with two
// Unicode forms. Case is significant.
func CanonicalPath(path string) bool {
	if path == "" || len(path) > MaxLength {
		return false
	}
	if !alphanumeric(path[0]) || !alphanumeric(path[len(path)-1]) {
		return false
	}
	for i := range len(path) {
		switch c := path[i]; {
		case alphanumeric(c), c == '_', c == '-':
		case c == '/' && path[i-1] != '/': // i > 0: the first byte is no slash
		default:
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
