package pii

import (
	"strings"
	"unicode/utf8"
)

// scriptLeads are what introduces a person in scripts that have spaces and no capitals,
// as one or two words.
var scriptLeads = wordSet("मेरा नाम|माझे नाव|আমার নাম|என் பெயர்|నా పేరు|મારું નામ|ਮੇਰਾ ਨਾਮ|ನನ್ನ ಹೆಸರು|എന്റെ പേര്|میرا نام|نام من|اسم من|आपका नाम|" +
	"اسمي|وأنا اسمي|السيد|السيدة|الدكتور|الدكتورة|الأستاذ|الأستاذة|المهندس|المهندسة|آقای|خانم|دکتر|جناب|שמי|קוראים לי|השם שלי|מר|גברת|श्री|श्रीमती|डॉ|জনাব|ฉันชื่อ|ผมชื่อ|ดิฉันชื่อ|หนูชื่อ")

// scriptLabels do where a colon follows.
var scriptLabels = wordSet("नाम|पूरा नाम|रोगी|ग्राहक|নাম|பெயர்|పేరు|الاسم|الاسم الكامل|اسم المريض|اسم العميل|نام|نام خانوادگی|نام بیمار|שם|שם מלא|שם הלקוח|ชื่อ|ชื่อผู้ป่วย|ผู้ติดต่อ")

// scriptStops end a name.
var scriptStops = wordSet("है|हैं|हूँ|हूं|और|से|में|का|की|के|को|ने|আছে|এবং|ہے|ہوں|اور|هو|هي|من|في|على|عن|الذي|التي|هستم|است|و|را|به|از|در|אני|הוא|היא|גר|גרה|של|עם|מתל|ครับ|ค่ะ|คะ|เป็น|อยู่|และ|มา")

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.SplitSeq(list, "|") {
		set[w] = true
	}
	return set
}

// firstUncased is where the scripts without capitals begin: Hebrew.
const firstUncased = 0x590

// uncased reports whether token i is a word in one of them.
func (f *finder) uncased(i int) bool {
	if i < 0 || i >= len(f.tokens) || f.tokens[i].class != word || f.tokens[i].ascii {
		return false
	}
	r, _ := utf8.DecodeRuneInString(f.str(i))
	return r >= firstUncased && r < 0x10A0
}

// uncasedNames finds the names that something leads to in scripts without capitals.
func (f *finder) uncasedNames() {
	const most = 3 // words
	for i := range f.tokens {
		if !f.uncased(i) || !f.leadsOn(i) {
			continue
		}
		first, last := i+1, i
		for j := first; j < first+most && f.uncased(j) && (j == first || f.between(j-1) == " "); j++ {
			if w := f.str(j); scriptStops[w] || j > first && joinedAnd(w) {
				break
			}
			last = j
		}
		if last >= first && (last > first || f.tokens[first].len() > 4) {
			f.addRun(Person, run{first, last}, 0.65, "introduced as a name")
		}
	}
}

// leadsOn reports whether a lead or a label ends with token i.
func (f *finder) leadsOn(i int) bool {
	sep := f.between(i)
	colon := strings.Trim(sep, " ") == ":"
	if sep != " " && sep != ". " && !colon {
		return false
	}
	one := f.str(i)
	two := one
	if i > 0 && f.between(i-1) == " " {
		two = f.str(i-1) + " " + one
	}
	return scriptLeads[one] || scriptLeads[two] || colon && (scriptLabels[one] || scriptLabels[two])
}

// joinedAnd reports whether a word begins with the "and" of Arabic or Hebrew.
func joinedAnd(w string) bool {
	return strings.HasPrefix(w, "وأ") || strings.HasPrefix(w, "وا") && len(w) > 10 || strings.HasPrefix(w, "وم") && len(w) > 8 || strings.HasPrefix(w, "ו") && len(w) > 6
}
