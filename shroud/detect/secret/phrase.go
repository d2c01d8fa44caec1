package secret

import (
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// lexicon is the words of seed phrases (BIP-39) in the languages that are written in words. Each
// word has its number in each language, or none.
type lexicon struct {
	starts [1 << 15]uint16 // by the first three letters, which lengths words have, as bits
	words  map[string][]uint16
}

const noWord = 0xffff

// lexical is the lexicon, made when a text first has twelve words.
var lexical = sync.OnceValue(func() *lexicon {
	lists := [][]string{wordlists.English, wordlists.Spanish, wordlists.French, wordlists.Italian, wordlists.Czech}
	// Word lists have letters and accents apart, texts as one letter.
	compose := strings.NewReplacer("a\u0301", "á", "e\u0301", "é", "i\u0301", "í", "o\u0301", "ó", "u\u0301", "ú", "n\u0303", "ñ", "e\u0300", "è", "e\u0302", "ê", "c\u0327", "ç", "a\u0302", "â", "i\u0308", "ï", "u\u0302", "û")
	l := &lexicon{words: map[string][]uint16{}}
	for language, list := range lists {
		for n, word := range list {
			word = compose.Replace(word)
			if l.words[word] == nil {
				l.words[word] = []uint16{noWord, noWord, noWord, noWord, noWord}
			}
			l.words[word][language] = uint16(n)
			l.starts[start3(word)] |= 1 << len(word)
		}
	}
	return l
})

func start3(word string) uint16 {
	return fold(word[0])<<10 | fold(word[1])<<5 | fold(word[2])
}

// Phrases have 12 to 24 words of three to nine letters. Numbers and signs may stand between them.
const (
	fewestWords = 12
	mostWords   = 24
	mostBetween = 6
)

// spoken is a word of a run that may be a phrase.
type spoken struct {
	start, end int
	numbers    []uint16
}

// phrases looks for seed phrases: twelve or more words of the list, one after the other,
// whose last bits are the checksum of the others. Words are only looked up where twelve in a row begin
// as words of the list do, and are as long.
func (s *scan) phrases() {
	t := s.text
	if len(t) < fewestWords*4 {
		return
	}
	l := lexical()
	var run []spoken
	for i := 0; i < len(t); {
		if !wordLetters[t[i]] {
			i++
			continue
		}
		start := i
		for i < len(t) && wordLetters[t[i]] {
			i++
		}
		n := len(run)
		if likely := i-start >= 3 && i-start <= 14 && l.starts[start3(t[start:])]>>(i-start)&1 != 0; !likely || n > 0 && start-run[n-1].end > mostBetween {
			s.words(l, run)
			if run = run[:0]; !likely {
				continue
			}
		}
		run = append(run, spoken{start: start, end: i})
	}
	s.words(l, run)
}

var wordLetters = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x80 || letter(byte(i))
	}
	return t
}()

// words looks the words of a run up, and reports the phrases in it.
func (s *scan) words(l *lexicon, run []spoken) {
	if len(run) < fewestWords {
		return
	}
	from := 0
	for i := range run {
		word := s.text[run[i].start:run[i].end]
		if run[i].numbers = l.words[word]; run[i].numbers == nil {
			run[i].numbers = l.words[strings.ToLower(word)]
		}
		if run[i].numbers == nil {
			s.phrase(run[from:i])
			from = i + 1
		}
	}
	s.phrase(run[from:])
}

// phrase reports the phrases in a run of words.
func (s *scan) phrase(run []spoken) {
	for len(run) >= fewestWords && s.spend(400) {
		n := seed(run)
		if n == 0 {
			run = run[1:]
			continue
		}
		s.report(Match{Rule: "seed-phrase", Start: run[0].start, End: run[n-1].end, Severity: Critical, Score: 0.97,
			Why: "words of the BIP-39 list in a row, and the last bits are the checksum of the others"})
		run = run[n:]
	}
}

// seed is the length of the longest valid phrase that run begins with.
func seed(run []spoken) int {
	for n := mostWords; n >= fewestWords; n -= 3 {
		if n > len(run) {
			continue
		}
		for language := range run[0].numbers {
			if checks(run[:n], language) {
				return n
			}
		}
	}
	return 0
}

// checks says whether the words make bits whose last ones are the checksum.
func checks(words []spoken, language int) bool {
	var bits [33 * 8]byte
	for i, w := range words {
		n := w.numbers[language]
		if n == noWord {
			return false
		}
		for b := range 11 {
			bits[i*11+b] = byte(n >> (10 - b) & 1)
		}
	}
	all := len(words) * 11
	sum := all / 33
	var entropy [32]byte
	for i := range all - sum {
		entropy[i/8] |= bits[i] << (7 - i%8)
	}
	hash := sha256.Sum256(entropy[:(all-sum)/8])
	for i := range sum {
		if bits[all-sum+i] != hash[i/8]>>(7-i%8)&1 {
			return false
		}
	}
	different := map[uint16]bool{}
	for _, w := range words {
		different[w.numbers[language]] = true
	}
	return len(different) > len(words)/2 // not one word all over
}
