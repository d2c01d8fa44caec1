package pii

import (
	"strings"
	"unicode/utf8"
)

// maxEast is how many bytes a part of an address has at most.
const maxEast = 75

// hanAddress finds an address in Chinese or Japanese around a number: a street that
// ends in token i and a number after it, or a prefecture and a town before one.
func (f *finder) hanAddress(i int, s string) {
	if i+1 >= len(f.tokens) || f.between(i) != "" || f.tokens[i+1].class != number && f.tokens[i+1].class != mixed {
		return
	}
	start := -1
	switch {
	case prefecture(s) >= 0 && strings.ContainsAny(s, "市区町村郡區"):
		start = prefecture(s)
	case hasSuffix(s, streetsHan):
		start = f.streetStart(s)
	}
	if start < 0 || len(s)-start > maxEast {
		return
	}
	end, marked := f.numbersEnd(i + 1)
	if !marked {
		return
	}
	f.add(Match{Type: Address, Start: int(f.tokens[i].start) + start, End: end, Score: 0.72, Why: "a place, a street and a number"})
}

// streetStart is where the address in s begins, which ends with a street: behind the
// word that leads to it, and at its province or city if that is there.
func (f *finder) streetStart(s string) int {
	start := 0
	for _, w := range []string{"地址是", "地址为", "地址", "住在", "位于", "寄到", "送到", "家在", "搬到", "住址"} {
		if at := strings.LastIndex(s, w); at >= 0 {
			start = max(start, at+len(w))
		}
	}
	street := s[start:]
	if !strings.ContainsAny(street, "省市区县區縣镇乡") && start == 0 || utf8.RuneCountInString(street) < 3 {
		return -1
	}
	return start
}

// numbersEnd is where the numbers end that begin with token i, with the words between
// them that belong to them; marked tells whether one of those was there.
func (f *finder) numbersEnd(i int) (end int, marked bool) {
	for ; i < len(f.tokens); i++ {
		t := &f.tokens[i]
		if t.class == wide {
			n := marks(f.str(i))
			if n == 0 {
				break
			}
			end, marked = int(t.start)+n, true
			if n < t.len() {
				break
			}
		} else {
			end = int(t.end)
		}
		sep := f.between(i)
		if sep == "-" || sep == "－" || sep == "−" {
			marked = true
		} else if sep != "" {
			break
		}
	}
	return end, marked
}

// marks is how many bytes of s are words that stand between the numbers of an address.
func marks(s string) int {
	n := 0
	for again := true; again; {
		again = false
		for _, m := range []string{"号楼", "号院", "号", "號", "栋", "幢", "单元", "室", "层", "座", "楼", "樓", "弄", "丁目", "番地", "番", "号室", "階", "の"} {
			if strings.HasPrefix(s[n:], m) {
				n += len(m)
				again = true
				break
			}
		}
	}
	return n
}

var streetsHan = fields("路 街 大道 巷 弄 胡同 村 段 東路 大街")

// prefectures are those of Japan.
var prefectures = fields("北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県")

// prefecture is where in s the last prefecture begins, or -1.
func prefecture(s string) int {
	if !strings.ContainsAny(s, "都道府県") {
		return -1
	}
	last := -1
	for _, p := range prefectures {
		last = max(last, strings.LastIndex(s, p))
	}
	return last
}

// koreanAddress finds a street and a number after a district: token i is the street.
func (f *finder) koreanAddress(i int, s string) {
	if i == 0 || i+1 >= len(f.tokens) || f.tokens[i+1].class == word || len(s) < 6 || !hasSuffix(s, streetsKorean) || f.between(i) != " " || f.tokens[i+1].class != number && !startsDigit(f.str(i+1)) {
		return
	}
	first := i
	for first > 0 && i-first < 4 && f.between(first-1) == " " && f.tokens[first-1].class == wide && hasSuffix(f.str(first-1), districts) {
		first--
	}
	if first == i {
		return
	}
	last := i + 1
	if last+1 < len(f.tokens) && f.between(last) == "-" && f.tokens[last+1].class == number {
		last++
	}
	f.add(Match{Type: Address, Start: int(f.tokens[first].start), End: int(f.tokens[last].end), Score: 0.72, Why: "a place, a street and a number"})
}

func startsDigit(s string) bool { return s[0] >= '0' && s[0] <= '9' }

var (
	streetsKorean = fields("로 길 동 가")
	districts     = fields("시 도 구 군 읍 면")
)
