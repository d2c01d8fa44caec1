package view

// pairCost says how rare a pair of letters is in writing: a row for the first
// letter, a column for the second, 'a' for the most common pairs, and a step for
// each two thirds of a bit. Counted in English, and with the same weight together
// in ten other languages of the Latin alphabet.
const pairCost = "" +
	"khfgpkhmfmjegdmhmefeiilnjk" +
	"ioqphqstimuhppirsjjmistzlr" +
	"fsjqgprfgxiionenvhlgisxxmw" +
	"gnpkdmmqfpsmopgptjkpjmrrly" +
	"gjffhiikhljffdlilddfjikgjl" +
	"itutijovgurkrsguvipkjzrvmv" +
	"jpmsfqlihypknkjjwilniswunr" +
	"fpqoeosthnrmnlgoukogjtqyms" +
	"hjfhghhnmpjfgceilgeemgwlmj" +
	"juztjuuxptvsuukstxmzmttvxw" +
	"jrsphpnuiumksmkrypjlkwsynt" +
	"fpoienlmerofiogmpqiihmpvis" +
	"ejoneqptgxqkiogfsskpjquulu" +
	"fngefiekgnlkmjglsofdjkpqlm" +
	"kjhgohimjljgfdihrefgfiinmq" +
	"fpplfpokizqgnogixfhgirsrkw" +
	"oyvwvzwxvzzmuzxxzsxsgzyzzz" +
	"emiidkioeojkhielljhghknkio" +
	"hphoenohfvjlloghlmgegomsjt" +
	"enlodmkedrnjjmfhsfgggqlrim" +
	"ijiigmkrhqmghfljyfggmnvnom" +
	"httrfyrwhzuoqthtzoqvmsxvqy" +
	"jurrityjhxvoumjuzmlrqvmzrz" +
	"lumtkqztjvysovojyvsjsxxspt" +
	"kqrokqnomqokmlilzpjkorpwoo" +
	"kwuqjvprkyzorunwwqrrlxqxqo"

// Costs of the average pair, in the steps of pairCost: prose costs about 5, text
// in a cipher or backwards 7 to 11.
const (
	readable = 7.0 // what reads as words costs less
	doubtful = 5.7 // what costs less is not looked at again
)

func cost(a, b byte) int { return int(pairCost[int(a-'a')*26+int(b-'a')] - 'a') }

// prose is how well letters of a text go together.
type prose struct{ pairs, cost int }

func (p prose) mean() float64 { return float64(p.cost) / float64(max(p.pairs, 1)) }

// reads judges the pairs of ASCII letters in s. Case does not matter.
func reads(s string) prose {
	p, _ := readsBothWays(s)
	return p
}

// readsBothWays judges s as it is and backwards.
func readsBothWays(s string) (plain, back prose) {
	last := byte(0)
	for i := 0; i < len(s); i++ {
		b := s[i] | 0x20 - 'a'
		if b > 'z'-'a' {
			last = 0
			continue
		}
		if last != 0 {
			plain.pairs++
			plain.cost += int(pairCost[int(last-1)*26+int(b)] - 'a')
			back.cost += int(pairCost[int(b)*26+int(last-1)] - 'a')
		}
		last = b + 1
	}
	back.pairs = plain.pairs
	return plain, back
}

// readsAs judges s with each letter replaced.
func readsAs(s string, letters *[26]byte) (p prose) {
	last := byte(0)
	for i := 0; i < len(s); i++ {
		b := s[i] | 0x20 - 'a'
		if b > 'z'-'a' {
			last = 0
			continue
		}
		b = letters[b]
		if last != 0 {
			p.pairs++
			p.cost += cost(last, b)
		}
		last = b
	}
	return p
}
