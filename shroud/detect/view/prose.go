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

// letterAt has the place in the alphabet of each letter of ASCII, and noLetter for
// all else.
var letterAt = func() (t [256]uint8) {
	for i := range t {
		if t[i] = noLetter; asciiLetter(byte(i)) {
			t[i] = uint8(i|0x20) - 'a'
		}
	}
	return t
}()

const noLetter = 31

// bothCosts has, for two places in the alphabet, the cost of the pair, of the pair the
// other way around, and one, in fields of costField bits; nothing where one of them is no
// letter.
var bothCosts = func() (t [1 << 10]uint64) {
	for a := range byte(26) {
		for b := range byte(26) {
			t[int(a)<<5|int(b)] = uint64(cost('a'+a, 'a'+b)) | uint64(cost('a'+b, 'a'+a))<<costField | 1<<(2*costField)
		}
	}
	return t
}()

const (
	costField = 21
	maxSummed = 1 << 16 // pairs that fit into a field
)

// readsBothWays judges s as it is and backwards.
func readsBothWays(s string) (plain, back prose) {
	last := uint8(noLetter)
	for len(s) > 0 {
		part := s[:min(len(s), maxSummed)]
		s = s[len(part):]
		sum := uint64(0)
		for i := range len(part) {
			b := letterAt[part[i]]
			sum += bothCosts[uint16(last&31)<<5|uint16(b&31)]
			last = b
		}
		const field = 1<<costField - 1
		plain.cost += int(sum & field)
		back.cost += int(sum >> costField & field)
		plain.pairs += int(sum >> (2 * costField))
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
