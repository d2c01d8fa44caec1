package pii

import "strings"

// dates finds days, and years that a word such as "in" leads to. A day of which
// the text says that somebody was born is one of birth.
func (f *finder) dates() {
	for i := 0; i < len(f.tokens); i++ {
		last, score := f.dateAt(i)
		if last < 0 {
			continue
		}
		typ, why := Date, "a date"
		if f.topics(i, last)&aBirth != 0 && last > i {
			typ, why, score = Birth, "a date, and birth before it", 0.85
		}
		m := Match{Type: typ, Start: int(f.tokens[i].start), End: int(f.tokens[last].end), Score: score, Why: why}
		if f.tokens[last].class == wide {
			m.End = int(f.tokens[last].start) + 3
		}
		if end := f.timeAfter(last); end > last {
			m.End = int(f.tokens[end].end)
			last = end
		}
		f.add(m)
		i = last
	}
}

// dateAt is the last token of the date that begins at token i, or -1.
func (f *finder) dateAt(i int) (int, float64) {
	t := f.tokens[i]
	switch {
	case t.class == word && f.is(i, month):
		return f.monthFirst(i), 0.7
	case t.class != number || t.len() > 4 || !f.plainBefore(i):
		return -1, 0
	}
	if last := f.eastDate(i); last >= 0 {
		return last, 0.72
	}
	if last := f.numericDate(i); last >= 0 {
		return last, 0.72
	}
	if last := f.dayFirst(i); last >= 0 {
		return last, 0.7
	}
	if t.len() == 4 && years(f.str(i)) && f.is(i-1, yearly) && f.between(i-1) == " " && f.endsClean(i) {
		return i, 0.52
	}
	return -1, 0
}

// numericDate finds 2012-10-01, 8/31/1970, 01.10.2012.
func (f *finder) numericDate(i int) int {
	if i+2 >= len(f.tokens) || f.tokens[i+1].class != number || f.tokens[i+2].len() < 2 {
		return -1
	}
	sep := f.between(i)
	if sep != "-" && sep != "/" && sep != "." || f.between(i+1) != sep || !f.startsClean(i) {
		return -1
	}
	a, b := f.str(i), f.str(i+1)
	c := f.str(i + 2)
	if f.tokens[i+2].class == mixed { // 2012-10-01T00:00
		day, _, ok := strings.Cut(c, "T")
		if !ok || len(day) != 2 {
			return -1
		}
		c = day
	}
	x, y, z := mod(a, 10000), mod(b, 10000), mod(c, 10000)
	if len(b) > 2 || y < 1 || z < 0 {
		return -1
	}
	switch {
	case len(a) == 4 && len(c) == 2:
		if x < 1800 || x > 2200 || !monthDay(y, z) {
			return -1
		}
	case len(a) <= 2 && (len(c) == 4 && z >= 1800 && z <= 2200 || len(c) == 2 && sep == "/"):
		if !monthDay(x, y) && !monthDay(y, x) {
			return -1
		}
	default:
		return -1
	}
	if f.tokens[i+2].class == number && !f.endsClean(i+2) {
		return -1
	}
	return i + 2
}

// eastDate finds 1985年3月12日 and 1985년 3월 12일, of which the last sign is in a word
// of its own.
func (f *finder) eastDate(i int) int {
	j := i
	for _, sign := range []string{"年년", "月월", "日일"} {
		if j+1 >= len(f.tokens) || f.tokens[j].class != number || f.tokens[j].end != f.tokens[j+1].start || f.tokens[j+1].class != wide || !strings.HasPrefix(f.str(j+1), sign[:3]) && !strings.HasPrefix(f.str(j+1), sign[3:]) {
			return -1
		}
		if sign == "日일" {
			break
		}
		if f.tokens[j+1].len() != 3 {
			return -1
		}
		j += 2
	}
	if !monthDay(mod(f.str(j-2), 10000), mod(f.str(j), 10000)) {
		return -1
	}
	return j + 1
}

// dayFirst finds 29 March 2017, 3. Mai 1990, 5 de enero de 2001.
func (f *finder) dayFirst(i int) int {
	if day := mod(f.str(i), 10000); day < 1 || day > 31 {
		return -1
	}
	j := i + 1
	if f.wordIs(j, "de") || f.wordIs(j, "of") {
		j++
	}
	if !f.is(j, month) || len(f.between(i)) > 2 {
		return -1
	}
	last := j
	if f.wordIs(j+1, "de") || f.wordIs(j+1, "of") {
		j++
	}
	if f.yearAt(j + 1) {
		return j + 1
	}
	if f.tokens[last].upper && f.tokens[last].len() > 3 {
		return last
	}
	return -1
}

// monthFirst finds March 29, 2017 and March 2017.
func (f *finder) monthFirst(i int) int {
	j := i + 1
	if j >= len(f.tokens) || len(f.between(i)) > 2 || f.tokens[j].len() > 4 {
		return -1
	}
	if f.yearAt(j) {
		return j
	}
	day := f.str(j)
	for _, end := range []string{"st", "nd", "rd", "th"} {
		day = strings.TrimSuffix(day, end)
	}
	if d := mod(day, 10000); d < 1 || d > 31 || day == "" || !f.tokens[i].upper && !f.yearAt(j+1) {
		return -1
	}
	if f.yearAt(j+1) && len(f.between(j)) <= 2 {
		return j + 1
	}
	return j
}

func (f *finder) yearAt(i int) bool {
	return i < len(f.tokens) && f.tokens[i].class == number && f.tokens[i].len() == 4 && (f.str(i)[0] == '1' || f.str(i)[0] == '2')
}

// timeAfter takes in the time that follows the date that ends with token i.
func (f *finder) timeAfter(i int) int {
	j := i + 1
	if f.tokens[i].class == mixed { // ...-01T00:46:43
		j = i
	} else if j >= len(f.tokens) || f.between(i) != " " || f.tokens[j].class != number || f.tokens[j].len() > 2 || f.between(j) != ":" {
		return i
	}
	for j+1 < len(f.tokens) && f.between(j) == ":" && f.tokens[j+1].len() >= 2 && f.tokens[j+1].len() <= 3 {
		j++
	}
	return j
}

// ages finds how old somebody is.
func (f *finder) ages() {
	for i := range f.tokens {
		t := f.tokens[i]
		if t.class != number || t.len() > 3 || !f.plainBefore(i) {
			continue
		}
		if !f.is(i+1, aging) && !f.is(i-1, aging) && !f.is(i-2, aging) {
			continue
		}
		if n := mod(f.str(i), 1000); n < 1 || n > 120 || !f.oldAfter(i) && !f.agedBefore(i) {
			continue
		}
		f.addRun(Age, run{i, i}, 0.75, "how old somebody is")
	}
}

// oldAfter reports whether "years old" or its like follows token i.
func (f *finder) oldAfter(i int) bool {
	j := i + 1
	if j >= len(f.tokens) || len(f.between(i)) > 1 {
		return false
	}
	switch {
	case f.wordIs(j, "years"), f.wordIs(j, "year"), f.wordIs(j, "yrs"), f.wordIs(j, "yr"):
		return f.wordIs(j+1, "old") || f.wordIs(j+1, "of") && f.wordIs(j+2, "age")
	case f.wordIs(j, "y"):
		return strings.HasPrefix(f.text[f.tokens[j].end:], "/o") || f.wordIs(j+1, "o")
	case f.wordIs(j, "yo"), f.wordIs(j, "años"), f.wordIs(j, "jährige"), f.wordIs(j, "jähriger"):
		return true
	case f.wordIs(j, "jahre"):
		return f.wordIs(j+1, "alt")
	case f.wordIs(j, "jaar"):
		return f.wordIs(j+1, "oud")
	case f.wordIs(j, "ans"), f.wordIs(j, "anni"), f.wordIs(j, "anos"), f.wordIs(j, "lat"):
		return !f.wordIs(j+1, "d")
	}
	return false
}

// agedBefore reports whether "age", "aged" or "turned" stands before token i.
func (f *finder) agedBefore(i int) bool {
	if !f.endsClean(i) || i == 0 || len(f.between(i-1)) > 3 {
		return false
	}
	return f.wordIs(i-1, "aged") || f.wordIs(i-1, "age") || f.wordIs(i-1, "turned") || f.wordIs(i-1, "is") && f.wordIs(i-2, "age") || f.wordIs(i-1, "turning") || f.wordIs(i-1, "edad") || f.wordIs(i-1, "alter")
}
