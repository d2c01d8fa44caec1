package detect

import (
	"slices"
	"testing"
)

// TestCodeIsNoCipher: letters that chance puts in the order of words hide nothing.
func TestCodeIsNoCipher(t *testing.T) {
	encoded := func(text string) []string {
		var out []string
		for _, f := range Inspect(text, Options{Context: Document}).Threats {
			if f.Type == Encoding {
				out = append(out, f.Pattern)
			}
		}
		return out
	}
	for _, text := range []string{
		"//    int __REDIRECT(setpgrp, (__pid_t pid, __pid_t pgrp), setpgid);",
		"//    _ISOC11_SOURCE\tExtensions to ISO C99 from ISO C11.",
		"// Int64 returns the protoInt64 as an int64.",
		"[]complex128{1 + 2i, 3 + 4i, 5 + 6i, 7 + 8i, 9 + 10i, 11 + 12i, 13 + 14i, 15 + 16i}",
		"return g.grpcFn(cfg)",
	} {
		if got := encoded(text); len(got) > 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, want := range map[string]string{
		"gur xrl vf haqre gur zng, gnxr vg naq gryy abobql nobhg guvf":     "rot13",
		"ydobon llet dna ti ekat ,tam eht rednu si yek eht":                "reversed_text",
		"t4k3 7h3 k3y 4nd 73ll n0b0dy 4b0u7 7h15, 175 und3r 7h3 m47 f0r u": "leetspeak",
	} {
		if got := encoded(text); !slices.Contains(got, want) {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}
