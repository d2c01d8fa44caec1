package pii

import (
	"strings"
	"unicode/utf8"
)

// east finds the names and street addresses of Chinese, Japanese and Korean texts.
// Their writing has neither capitals nor, but for Korean, spaces: a name is a surname
// of a short list beside what only people are called by, or after a label.
func (f *finder) east() {
	for i := range f.tokens {
		t := &f.tokens[i]
		if t.class != wide {
			continue
		}
		s := f.text[t.start:t.end]
		if first, _ := utf8.DecodeRuneInString(s); first >= 0xAC00 && first <= 0xD7A3 {
			f.koreanName(i, s)
			f.koreanAddress(i, s)
			continue
		}
		f.ledTo(i, s)
		f.honoured(i, s)
		f.hanAddress(i, s)
	}
}

// Surnames: those of most people. Longer ones are tried first.
var (
	chineseDouble = fields("欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 司徒 夏侯 令狐 端木 歐陽 司馬 諸葛")
	chinese       = runes("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧葉蘇呂盧鍾譚陸賈鄒龍賀顧龔萬錢嚴湯")
	japanese      = fields("佐藤 鈴木 高橋 田中 伊藤 渡辺 渡邊 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 清水 林田 斎藤 齋藤 斉藤 山崎 中島 森田 阿部 池田 橋本 石川 山下 小川 石井 長谷川 後藤 岡田 近藤 前田 藤田 遠藤 青木 坂本 村上 太田 金子 藤井 福田 西村 三浦 竹内 中川 岡本 松田 原田 中野 小野 田村 藤原 中山 石田 小島 和田 森本 内田 柴田 酒井 宮崎 横山 高木 安藤 宮本 大野 小山 菊地 菊池 工藤 今井 丸山 増田 杉山 村田 大塚 新井 小松 平野 藤本 河野 上野 野口 武田 松井 千葉 岩崎 桜井 木下 野村 松尾 菅原 久保 佐野 市川 古川 水野 渡部 杉本 北村 服部 永井 星野")
	koreanDouble  = fields("남궁 황보 제갈 선우 독고 사공")
	korean        = runes("김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모")
)

func fields(s string) []string { return strings.Fields(s) }

func runes(s string) map[rune]bool {
	m := map[rune]bool{}
	for _, r := range s {
		m[r] = true
	}
	return m
}

// What leads to a name in Han and kana, and how sure that makes it.
var introductions = []struct {
	words string
	score float64
}{
	{"我的名字是", 0.75}, {"我的名字叫", 0.75}, {"我叫", 0.7}, {"名叫", 0.65}, {"姓名", 0.75}, {"联系人", 0.75}, {"聯絡人", 0.75}, {"收件人", 0.75}, {"收货人", 0.75}, {"患者", 0.6},
	{"申请人", 0.7}, {"持卡人", 0.75}, {"户名", 0.75}, {"法定代表人", 0.75}, {"负责人", 0.7}, {"我是", 0.6},
	{"私の名前は", 0.75}, {"名前は", 0.7}, {"氏名", 0.75}, {"お名前", 0.75}, {"担当者", 0.7}, {"担当", 0.6}, {"患者名", 0.75}, {"私は", 0.6},
}

// honours are what follows the names of people, and of nothing else when a surname
// stands before. Behind a Japanese one it is a Japanese surname: 王様 is a king.
var honours = []string{"先生", "女士", "小姐", "老师", "老師", "医生", "教授", "经理", "博士", "律师", "师傅", "さん", "様", "氏", "くん", "ちゃん", "殿", "部長", "課長", "社長"}

const chineseHonours = 11

// ledTo finds names behind what leads to them, in token i or before it.
func (f *finder) ledTo(i int, s string) {
	if i > 0 && f.tokens[i-1].class == wide { // "姓名: 王小明"
		if sep := f.between(i - 1); strings.Trim(sep, " :：\t=|") == "" && strings.ContainsAny(sep, ":：=|") {
			before := f.str(i - 1)
			for _, in := range introductions {
				if strings.HasSuffix(before, in.words) {
					f.hanName(i, 0, in.score)
					return
				}
			}
		}
	}
	for _, in := range introductions {
		at := strings.Index(s, in.words)
		if at < 0 {
			continue
		}
		at += len(in.words)
		for _, is := range []string{"是", "为", "は"} {
			at += len(s[at:]) - len(strings.TrimPrefix(s[at:], is))
		}
		if f.hanName(i, at, in.score) {
			return
		}
	}
}

// hanName adds the name at byte at of token i, if one begins there and what follows
// can follow a name.
func (f *finder) hanName(i, at int, score float64) bool {
	s := f.str(i)[at:]
	if n := f.japaneseName(i, s); n > 0 {
		return f.addEast(i, at, n, score)
	}
	n := surnameSize(s)
	if n == 0 {
		return false
	}
	given := 0
	for _, r := range s[n:] {
		if given == 2 || afterName[r] || !isHan(r) {
			break
		}
		given++
	}
	if given == 0 {
		return false
	}
	end := n + 3*given
	if rest := s[end:]; rest != "" && !nameEnds(rest) {
		if given == 2 && nameEnds(s[end-3:]) {
			end -= 3
		} else if score < 0.7 {
			return false
		}
	}
	return f.addEast(i, at, end, score)
}

// surnameSize is how many bytes of s are a Chinese surname.
func surnameSize(s string) int {
	for _, d := range chineseDouble {
		if strings.HasPrefix(s, d) {
			return len(d)
		}
	}
	if r, size := utf8.DecodeRuneInString(s); chinese[r] {
		return size
	}
	return 0
}

// japaneseName is how many bytes from the beginning of s, which ends token i, are a
// Japanese surname with what is given, if anything.
func (f *finder) japaneseName(i int, s string) int {
	sur := japaneseSize(s)
	switch {
	case sur == 0:
		return 0
	case sur < len(s):
		return sur + givenSize(s[sur:])
	}
	if n := i + 1; n < len(f.tokens) && f.tokens[n].class == wide && (f.between(i) == " " || f.between(i) == "　") { // "田中 太郎"
		if g := givenSize(f.str(n)); g > 0 {
			return sur + len(f.between(i)) + g
		}
	}
	return sur
}

// japaneseSize is how many bytes of s are a Japanese surname.
func japaneseSize(s string) int {
	for _, j := range japanese {
		if strings.HasPrefix(s, j) {
			return len(j)
		}
	}
	return 0
}

// givenSize is how many bytes of s are a given name: up to three ideographs, before
// kana, an honour, or the end.
func givenSize(s string) int {
	n := 0
	for k, r := range s {
		if !isHan(r) || n == 3 || startsHonour(s[k:]) {
			break
		}
		n++
	}
	return 3 * n
}

func startsHonour(s string) bool {
	for _, h := range honours {
		if strings.HasPrefix(s, h) {
			return true
		}
	}
	return false
}

// honoured finds surnames, with given names or without, before what people are called.
func (f *finder) honoured(i int, s string) {
	for k, h := range honours {
		for from := 0; ; {
			at := strings.Index(s[from:], h)
			if at < 0 {
				break
			}
			at += from
			f.beforeHonour(i, s, at, k < chineseHonours)
			from = at + len(h)
		}
	}
}

// beforeHonour adds the name that ends at byte at: the longest that begins where a name
// can begin.
func (f *finder) beforeHonour(i int, s string, at int, anyone bool) {
	for size := min(15, at-at%3); size >= 3; size -= 3 {
		start := at - size
		if start < 0 || !utf8.RuneStart(s[start]) || start > 0 && !beforeName[runeBefore(s, start)] {
			continue
		}
		name := s[start:at]
		sur := japaneseSize(name)
		if sur == 0 && anyone {
			sur = surnameSize(name)
		}
		if sur == 0 || size-sur > 9 || sur == 3 && size-sur > 6 || strings.ContainsFunc(name, func(r rune) bool { return !isHan(r) }) {
			continue
		}
		f.addEast(i, start, size, 0.7)
		return
	}
}

func runeBefore(s string, at int) rune { r, _ := utf8.DecodeLastRuneInString(s[:at]); return r }

func isHan(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF || r == '々' }

var (
	// beforeName are the last letters of what stands before a name in a sentence.
	beforeName = runes("请給给找和与與致由向是的系知诉的は、がをにへとので")
	// afterName are letters that begin what follows a name, and that few names have.
	afterName = runes("是在的和与有说來来住今年也了先女就想要去做从到，でとのはがをに")
)

// nameEnds reports whether rest can follow a name.
func nameEnds(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return afterName[r] || !isHan(r) || startsHonour(rest)
}

// addEast adds n bytes from byte at of token i as a person.
func (f *finder) addEast(i, at, n int, score float64) bool {
	start := int(f.tokens[i].start) + at
	f.add(Match{Type: Person, Start: start, End: start + n, Score: score, Why: "a surname in its place"})
	return true
}

// What leads to a Korean name, and what ends it.
var (
	koreanLeads = fields("이름 성명 성함 담당자 고객명 환자명 수취인 예금주 신청인 대표자")
	koreanSelf  = fields("이름은 이름이 저는 나는 성함은 성함이")
	koreanEnds  = fields("입니다 이에요 예요 이고 이라고 라고 이라는 씨 씨가 씨는 씨를 씨에게 님 님이 님은 님께 님의 교수 교수님 선생님 과장 과장님 부장 부장님 대표 대표님 사장 의사")
)

// koreanName finds a name in token i, a word: by the word before it and by its ending.
func (f *finder) koreanName(i int, s string) {
	const full = 9 // a surname and two syllables
	if len(s) < 6 || !koreanSurname(s) {
		return
	}
	size := min(full, len(s))
	rest := s[size:]
	lead := 0.0
	if i > 0 {
		before, sep := f.str(i-1), f.between(i-1)
		switch {
		case strings.ContainsAny(sep, ":：") && hasSuffix(before, koreanLeads):
			lead = 0.75
		case sep == " " && equals(before, koreanSelf) && rest != "" && ends(rest):
			lead = 0.7
		}
	}
	next := ""
	if i+1 < len(f.tokens) && f.between(i) == " " {
		next = f.str(i + 1)
	}
	honour := len(s) >= full && !strings.HasSuffix(s[:full], "자") && (ends(rest) && rest != "" && !strings.HasPrefix(rest, "이") && !strings.HasPrefix(rest, "라") || rest == "" && strings.HasPrefix(next, "씨"))
	switch {
	case lead > 0 && (rest == "" || ends(rest)):
		f.addEast(i, 0, size, lead)
	case honour && !strings.HasPrefix(rest, "입") && !strings.HasPrefix(rest, "예"):
		f.addEast(i, 0, full, 0.65)
	}
}

func koreanSurname(s string) bool {
	for _, d := range koreanDouble {
		if strings.HasPrefix(s, d) {
			return true
		}
	}
	r, _ := utf8.DecodeRuneInString(s)
	return korean[r]
}

func ends(rest string) bool { return rest == "" || equals(rest, koreanEnds) }

func equals(s string, of []string) bool {
	for _, o := range of {
		if s == o {
			return true
		}
	}
	return false
}

func hasSuffix(s string, of []string) bool {
	for _, o := range of {
		if strings.HasSuffix(s, o) {
			return true
		}
	}
	return false
}
