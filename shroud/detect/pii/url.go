package pii

import "strings"

// siteWords announce that an address on the web is somebody's own. Others are
// not personal: documents are full of them.
var siteWords = []string{"website", "web site", "homepage", "home page", "my site", "my blog", "my page", "portfolio", "profile", "linkedin", "webseite", "site web", "sitio web", "sito web", "página web"}

// urls finds web addresses that the text says are somebody's own.
func (f *finder) urls() {
	for at := 0; ; {
		i := strings.Index(f.text[at:], "://")
		if i < 0 {
			return
		}
		i += at
		at = i + 3
		start := i
		for start > 0 && i-start < 8 && isAlpha(f.text[start-1]) {
			start--
		}
		if scheme := strings.ToLower(f.text[start:i]); scheme != "http" && scheme != "https" {
			continue
		}
		end := at
		for end < len(f.text) && end-at < 2048 && f.text[end] > ' ' && strings.IndexByte("\"'<>`|\\^{}", f.text[end]) < 0 {
			end++
		}
		for end > at && strings.IndexByte(".,;:!?)]", f.text[end-1]) >= 0 {
			end--
		}
		if end-at > 3 && f.announcesSite(start) {
			f.add(Match{Type: URL, Start: start, End: end, Score: 0.7, Why: "a web address that is called somebody's own"})
		}
		at = end
	}
}

func (f *finder) announcesSite(start int) bool {
	before := strings.ToLower(f.text[max(0, start-32):start])
	before = before[strings.LastIndexByte(before, '\n')+1:]
	if strings.Contains(before, "official") {
		return false
	}
	for _, w := range siteWords {
		if strings.Contains(before, w) {
			return true
		}
	}
	return false
}
