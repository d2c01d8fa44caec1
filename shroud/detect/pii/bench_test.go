package pii

import (
	"os"
	"strings"
	"testing"
)

// prose is text as agents read it: nothing in it is much of a candidate.
var prose = strings.Repeat("The build failed because the runner had no space left on its disk; see job 4711 of 2026-10-01. "+
	"We should delete old images first, then retry, and let Maria from the London office know by e-mail (maria@example.org). "+
	"func (s *Server) Close() error { return s.inner.Close() } // nothing to wait for\n", 60)

func BenchmarkFind(b *testing.B) {
	texts := map[string]string{
		"prose":  prose,
		"digits": strings.Repeat("4711 0815 12345678 ", 800),
		"logs":   strings.Repeat("2026-10-01T10:00:00.123Z INFO 192.0.2.7 GET /v1/x?id=1234567890 200 12ms trace=4bf92f3577b34da6a3ce929d0e0e4736\n", 150),
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Find(text, Options{})
			}
		})
	}
	if path := os.Getenv("TEXT"); path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("file", func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				Find(string(raw), Options{})
			}
		})
	}
}

// hostile are texts, a hundred thousand bytes each, that would make careless
// rules look at everything again for each byte.
func hostile(size int) map[string]string {
	fill := func(s string) string { return strings.Repeat(s, size/len(s)+1)[:size] }
	return map[string]string{
		"digits": fill("7"), "at": fill("@"), "a@": fill("a@"), "dots": fill("a.b@"), "spaces": fill(" "), "colons": fill(":"), "1:": fill("1:"), "f:": fill("f::"),
		"1 ": fill("1 "), "1-": fill("1-"), "12 ": fill("12 "), "(": fill("("), "+1": fill("+1 "), "phones": fill("030 1234567 "), "A ": fill("A "), "Ann ": fill("Ann "),
		"Ann, ": fill("Ann, "), "Ann Lee ": fill("Ann Lee, "), "brackets": fill("[EMAIL_"), "letters": fill("a"), "slashes": fill("://"), "quotes": fill("\"@"), "the corner of ": fill("the corner of "),
		"quoted": fill("\"" + strings.Repeat("a", 60) + "\"@"), "1.": fill("1."), "x1": fill("1234x1"), "DE89": fill("DE89 "), "in Xyz ": fill("lives in Xyz "), "wide": fill("電話 1 "),
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile(5 << 20) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Find(text, Options{})
			}
		})
	}
}
