package pii

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is a line of a labelled data set.
type sample struct {
	Label, Category, Source, Text, Lang string
	Base64                              string `json:"text_b64"`
	Spans                               []gold
}

type gold struct {
	Start, End int // in runes
	Type       string
}

// families maps the types of data sets, and ours, to what they have in common.
var families = map[string]string{
	"email_address": "email", "phone_number": "phone", "mobilephone": "phone", "tr_phone_number": "phone", "phone_us": "phone",
	"creditcard": "credit_card", "iban_code": "iban", "us_ssn": "ssn", "btcaddress": "crypto_address", "ethereumaddress": "crypto_address", "crypto": "crypto_address",
	"ip_address": "ip", "macaddress": "mac", "mac_address": "mac", "domain_name": "url",
	"street_address": "address", "zip_code": "address", "postcode": "address", "gpe": "location", "nrp": "nationality", "date_time": "date", "date_of_birth": "date",
	"organization": "organisation",
}

func family(typ string) string {
	t := strings.ToLower(typ)
	if f := families[t]; f != "" {
		return f
	}
	switch t {
	case "email", "phone", "credit_card", "iban", "ssn", "crypto_address", "ip", "mac", "url", "person", "title", "address", "location", "nationality", "organisation", "date", "age":
		return t
	}
	return "id"
}

var weakFamilies = []string{"person", "title", "address", "location", "nationality", "organisation", "date", "age"}

type tally struct{ right, found, gold int }

func (t tally) f1() float64 { return 2 * float64(t.right) / float64(max(1, t.found+t.gold)) }

func (t tally) String() string {
	return fmt.Sprintf("%6d %6d %6d   %.3f %.3f %.3f", t.gold, t.found, t.right,
		float64(t.right)/float64(max(1, t.found)), float64(t.right)/float64(max(1, t.gold)), t.f1())
}

func readSamples(t *testing.T) []sample {
	path := os.Getenv("DATA")
	if path == "" {
		t.Skip("DATA names no file of labelled texts")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []sample
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var s sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if s.Base64 != "" {
			raw, err := base64.StdEncoding.DecodeString(s.Base64)
			if err != nil {
				t.Fatal(err)
			}
			s.Text = string(raw)
		}
		all = append(all, s)
	}
	return all
}

// TestEval prints how matches compare with the spans of labelled texts. A match
// is right if its span is the labelled one, to the byte, and its family too.
func TestEval(t *testing.T) {
	all := readSamples(t)
	table := map[string]tally{}
	note := func(key string, f func(*tally)) {
		v := table[key]
		f(&v)
		table[key] = v
	}
	verbose := os.Getenv("SHOW")
	for _, s := range all {
		if s.Label != "pii" {
			continue
		}
		want, got := goldOf(s), foundIn(s.Text)
		keys := func(fam string) []string {
			half := "half: structured"
			if slices.Contains(weakFamilies, fam) {
				half = "half: weak"
			}
			return []string{"all", half, "type: " + fam, "source: " + s.Source + " " + half}
		}
		for span, fam := range want {
			for _, k := range keys(fam) {
				note(k, func(t *tally) { t.gold++ })
			}
			if verbose != "" && strings.Contains(fam+" miss", verbose) && got[span] != fam {
				t.Logf("miss %s %q in %.160q", fam, s.Text[span[0]:span[1]], s.Text)
			}
		}
		for span, fam := range got {
			for _, k := range keys(fam) {
				note(k, func(t *tally) { t.found++ })
			}
			if want[span] == fam {
				for _, k := range keys(fam) {
					note(k, func(t *tally) { t.right++ })
				}
			} else if verbose != "" && strings.Contains(fam+" extra", verbose) {
				t.Logf("extra %s %q in %.160q", fam, s.Text[span[0]:span[1]], s.Text)
			}
			if half := keys(fam)[1]; want[span] != "" && keys(want[span])[1] == half {
				note("whatever type, "+half, func(t *tally) { t.right++ })
			}
		}
	}
	for _, half := range []string{"half: structured", "half: weak"} {
		note("whatever type, "+half, func(t *tally) { t.gold, t.found = table[half].gold, table[half].found })
	}
	t.Logf("%-44s %6s %6s %6s   %s", "", "gold", "found", "right", "precision recall F1")
	for _, k := range slices.Sorted(maps.Keys(table)) {
		t.Logf("%-44s %s", k, table[k])
	}
}

func goldOf(s sample) map[[2]int]string {
	runes := []int{}
	for i := range s.Text {
		runes = append(runes, i)
	}
	runes = append(runes, len(s.Text))
	want := map[[2]int]string{}
	for _, g := range s.Spans {
		start, end := runes[min(g.Start, len(runes)-1)], runes[min(g.End, len(runes)-1)]
		for start < end && s.Text[start] == ' ' {
			start++
		}
		want[[2]int{start, end}] = family(g.Type)
	}
	return want
}

func foundIn(text string) map[[2]int]string {
	got := map[[2]int]string{}
	for _, m := range Find(text, Options{}) {
		got[[2]int{m.Start, m.End}] = family(m.Type)
	}
	return got
}

// TestEvalBenign prints how many texts without personal data have structured
// matches, by source, and how fast it went.
func TestEvalBenign(t *testing.T) {
	type count struct{ texts, structured, weak int }
	sources := map[string]*count{}
	types := map[string]int{}
	size, began := 0, time.Now()
	for _, s := range readSamples(t) {
		if s.Label != "benign" {
			continue
		}
		c := sources[s.Category]
		if c == nil {
			c = &count{}
			sources[s.Category] = c
		}
		c.texts++
		size += len(s.Text)
		structured, weak := false, false
		for _, m := range Find(s.Text, Options{}) {
			types[m.Type]++
			structured = structured || !Weak(m.Type)
			weak = weak || Weak(m.Type)
			if show := os.Getenv("SHOW"); show != "" && strings.Contains(m.Type+" "+s.Category, show) {
				t.Logf("%s %s %.2f %q in %q", s.Category, m.Type, m.Score, s.Text[m.Start:m.End], s.Text[max(0, m.Start-50):min(len(s.Text), m.End+30)])
			}
		}
		if structured {
			c.structured++
		}
		if weak {
			c.weak++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(sources), func(a, b string) int { return cmp.Compare(a, b) }) {
		c := sources[k]
		t.Logf("%-22s %5d texts, %5.2f %% with structured matches, %5.1f %% with weak ones", k, c.texts,
			100*float64(c.structured)/float64(c.texts), 100*float64(c.weak)/float64(c.texts))
	}
	t.Logf("types: %v", types)
	t.Logf("%.1f MB/s", float64(size)/1e6/time.Since(began).Seconds())
}
