package tokens

import (
	"math/big"
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer/codec"
)

// The embedded vocabulary is the module's: `make vocabulary` writes it anew.
func TestTheVocabularyIsTheModules(t *testing.T) {
	module, ours := codec.NewO200kBase(), load().ranks
	for token, rank := range ours {
		if want, err := module.Decode([]uint{uint(rank)}); err != nil || want != token {
			t.Fatalf("%d is %q, to the module %q (%v)", rank, token, want, err)
		}
	}
	if next, err := module.Decode([]uint{uint(len(ours))}); err == nil || len(ours) != 199_998 {
		t.Errorf("there are %d, and the module has %q as well", len(ours), next)
	}
}

func FuzzCount(f *testing.F) {
	digits := new(big.Int).Exp(big.NewInt(7), big.NewInt(800), nil)
	for _, text := range []string{
		"", "I'll say: it's 12345 o'clock!\r\n\r\n  func main() {\n\t}", "ÄÖÜ straße Ωμέγα привет 你好，世界 👩‍👩‍👧", "\xff\xfe\x00\u200b\ufffd",
		strings.Repeat("a", 300), strings.Repeat("=-", 200), strings.Repeat("qxzj", 90), digits.String(), digits.Text(36), strings.Repeat("字", 100),
	} {
		f.Add(text)
	}
	module, ours := codec.NewO200kBase(), load()
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ours.count(text)
		want, wrong := module.Count(text)
		if got != want || err != nil || wrong != nil {
			t.Errorf("%q has %d tokens (%v), to the module %d (%v)", text, got, err, want, wrong)
		}
	})
}

func BenchmarkCount(b *testing.B) {
	texts := map[string]string{
		"prose": strings.Repeat("The tests pass, but the build takes twice as long as before. ", 1000),
		"hex":   strings.Repeat("9f86d081884c7d659a2feaa0c55ad015", 2000), "a": strings.Repeat("a", 60_000), "signs": strings.Repeat("=", 60_000),
	}
	Count("")
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Count(text)
			}
		})
	}
	b.Run("first use", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			load()
		}
	})
}
