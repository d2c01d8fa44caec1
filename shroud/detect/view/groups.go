package view

import "strings"

// groups finds base64 in groups of four or eight characters, as people set long numbers.
func (c *scanner) groups() {
	const least = 6 // groups in a row
	s := c.text
	for i := 0; i+4*least+least-1 <= len(s) && !c.full; i++ {
		if b := digit64[s[i]]; b == 0 || i > 0 && s[i-1] > ' ' {
			continue
		}
		for _, width := range [...]int{4, 8} {
			if end := grouped(s, i, width); end-i >= least*(width+1)-1 {
				c.group(i, end, width)
				i = end // whatever it is, it is looked at once
				break
			}
		}
	}
}

// group decodes the groups from start to end. The first few may be words that have as many
// letters.
func (c *scanner) group(start, end, width int) {
	const words = 4
	for n := 0; n < words && end-start >= 4*minRun/3; n++ {
		if text := strings.ReplaceAll(c.text[start:end], " ", ""); begins64(text) && c.readable("base64", wide(unbase64(text)), start, end) {
			return
		}
		start += width + 1
	}
}

// grouped returns the end of the groups of base64 of a width, with spaces between, that
// begin at i. The last may be shorter.
func grouped(s string, i, width int) (end int) {
	for end = i; ; {
		k := end
		if k > i {
			if k >= len(s) || s[k] != ' ' {
				return end
			}
			k++
		}
		from := k
		for k < len(s) && k-from < width && digit64[s[k]] != 0 {
			k++
		}
		if k == from || k < len(s) && digit64[s[k]] != 0 || k-from < width && k < len(s) && s[k] != '=' && s[k] > ' ' {
			return end
		}
		if end = k; k-from < width {
			return end
		}
	}
}
