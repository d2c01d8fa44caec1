package secret

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// dice are numbers that look random and are the same in every run of one seed.
type dice uint64

func (d *dice) upTo(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(uint64(*d) >> 33 % uint64(n))
}

// draw makes n characters of an alphabet; the first and last are letters or digits.
func (d *dice) draw(in alphabet, n int) string {
	var all, ends []byte
	for c := byte('!'); c <= '~'; c++ {
		if in(c) {
			all = append(all, c)
			if alnum(c) {
				ends = append(ends, c)
			}
		}
	}
	b := make([]byte, n)
	for i := range b {
		if b[i] = all[d.upTo(len(all))]; i == 0 || i == n-1 || strings.IndexByte("=%.-_$:", b[i]) >= 0 {
			b[i] = ends[d.upTo(len(ends))]
		}
	}
	return string(b)
}

// Every format is found in running text, whole, at its least and greatest length.
func TestFormats(t *testing.T) {
	d := dice(5)
	for _, f := range formats {
		for _, n := range []int{f.min, f.max} {
			if n > 1024 {
				continue
			}
			token := f.prefix + d.draw(f.alphabet, n)
			text := "it is " + token + ", in \"" + token + "\"\n" + token
			for i, m := range Find(text) {
				if got := text[m.Start:m.End]; !strings.HasPrefix(token, got) && !strings.HasSuffix(token, got) || m.Severity != Critical && m.Severity != High {
					t.Errorf("%s: found %d as %+v, %q", f.rule, i, m, got)
				}
			}
			if found := Find(text); len(found) != 3 {
				t.Errorf("%s: found %d of 3 %q of length %d: %+v", f.rule, len(found), token, n, found)
			}
		}
	}
}

// What stands for a token in documentation is none.
func TestFormatsOfPlaceholders(t *testing.T) {
	for _, f := range formats {
		for _, c := range "xX0A" {
			if !f.alphabet(byte(c)) {
				continue
			}
			text := "set it to " + f.prefix + strings.Repeat(string(c), f.min) + " first"
			for _, m := range Find(text) {
				t.Errorf("%s: %q is %+v", f.rule, text, m)
			}
		}
	}
}

// A token inside a longer word is none.
func TestFormatsInsideWords(t *testing.T) {
	d := dice(9)
	token := "ghp" + "_" + d.draw(base62, 36)
	for _, text := range []string{"x" + token, "x_" + token, token + "y"} {
		for _, m := range Find(text) {
			if m.Rule == "github-token" {
				t.Errorf("%q is %+v", text, m)
			}
		}
	}
	for _, before := range []string{"\x1b[31m", `\n`, "(", "=", "/"} {
		if found := Find(before + token); len(found) != 1 || found[0].Start != len(before) {
			t.Errorf("after %q: %+v", before, found)
		}
	}
}

// A checksum that is right is as good as certain; the vector is GitHub's own
// algorithm, in other words than ours.
func TestChecksum(t *testing.T) {
	d := dice(11)
	for range 100 {
		body := d.draw(base62, 30)
		sum, digits := crc32.ChecksumIEEE([]byte(body)), ""
		for range 6 {
			digits = string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[sum%62]) + digits
			sum /= 62
		}
		right := "ghp" + "_" + body + digits
		if checked, ok := checksum("github-token", right); !checked || !ok {
			t.Fatalf("%s has the right sum", right)
		}
		wrong := right[:39] + string(base62Digits[(strings.IndexByte(base62Digits, right[39])+1)%62])
		if checked, ok := checksum("github-token", wrong); !checked || ok {
			t.Fatalf("%s has the wrong sum", wrong)
		}
		if found := Find(right); len(found) != 1 || found[0].Score < 0.99 {
			t.Fatalf("found %+v", found)
		}
	}
}

// All of gitleaks' rules are there, and their expressions compile.
func TestBorrowed(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range gitleaks() {
		seen[r.ID] = true
		if r.Regex != "" {
			r.expression()
		}
	}
	if len(seen) < 200 {
		t.Errorf("there are %d rules", len(seen))
	}
	for id := range ours {
		if !seen[id] {
			t.Errorf("there is no rule %s any more: ours stands for nothing", id)
		}
	}
}

// Literals are found wherever they are, in any case, also where they overlap.
func TestLiterals(t *testing.T) {
	l := &literals{}
	for i, text := range []string{"key", "apikey", "s.", "ey", "keyring", "пароль"} {
		l.add(text, uint16(i))
	}
	got := map[string]bool{}
	l.find("KEY ApiKeyRing s.пароль ey ", func(id uint16, at int) { got[fmt.Sprint(id, "@", at)] = true })
	for _, want := range []string{"0@0", "0@7", "1@4", "2@15", "3@1", "3@8", "4@7", "5@17", "3@30"} {
		if !got[want] {
			t.Errorf("%s is not found: %v", want, got)
		}
	}
	if len(got) != 9 {
		t.Errorf("found %v", got)
	}
}

// Text in which everything begins something is given up, in time in proportion to it.
func TestHostileText(t *testing.T) {
	const size = 1 << 20
	begin := "-----BEGIN " + "PRIVATE KEY-----"
	for _, part := range []string{
		"password=", "pass", "key=a1B2", "token: \"", "://a:b", begin, begin + "\nMIIEvQIBADANBgkqhkiG9w0B\n", "ey" + "JhbGciOiJIUzI1NiJ9.", "eyJ", "abandon ", "AIza", "ghp_a", "bearer a1B2c3D4e5F6g7H8 ",
		"basic YTpiMWMyZDM", `"d":"a1B2c3D4e5F6g7H8i9J0","kty"`, "$2a$10$", "a.b.", "-u a:b1 ", "1234567890:AA", "1234567890123456|", "\"", "'a'=", "= \"a1B2", "sk-", "LS0tLS1CRUdJTiB", "curl", "MIIEvQIBADANBg", "x=\\\"", "\xff\x80é",
	} {
		text := strings.Repeat(part, size/len(part))
		if testing.Short() {
			text = text[:size/8]
		}
		for _, m := range Find(text) {
			if m.Start < 0 || m.End > len(text) || m.Start >= m.End {
				t.Fatalf("%q: %+v", part, m)
			}
		}
	}
}

// Who gives up says so.
func TestCut(t *testing.T) {
	if _, cut := Search(strings.Repeat("The service keeps its keys in a vault: a token is read once. ", 1000)); cut {
		t.Error("ordinary text is cut")
	}
	if _, cut := Search(strings.Repeat("password=a1B2c3D4 ", mostMatches*2)); !cut {
		t.Error("a text with too many is not")
	}
}
