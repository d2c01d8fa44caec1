package secret_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/shroud/detect/secret"
)

// labelled is a text of a collection of labelled texts.
type labelled struct {
	ID, Label, Category, Source, Text string
	Coded                             string `json:"text_b64"`
	Spans                             []struct{ Start, End int }
}

// TestEvaluate prints what is found in the labelled texts of the file DATA: recall by
// source of credentials, false positives by source of the rest. With SHOW set it
// prints what was missed or wrong of the sources that have it in their name.
func TestEvaluate(t *testing.T) {
	path := os.Getenv("DATA")
	if path == "" {
		t.Skip("DATA names no file of labelled texts")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type tally struct{ all, found, weak int }
	tallies := map[string]*tally{}
	bytes, began := 0, time.Now()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var l labelled
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.Coded != "" {
			b, _ := base64.StdEncoding.DecodeString(l.Coded)
			l.Text = string(b)
		}
		found := secret.Find(l.Text)
		bytes += len(l.Text)
		key := l.Label + " " + l.Source + " " + l.Category
		c := tallies[key]
		if c == nil {
			c = &tally{}
			tallies[key] = c
		}
		c.all++
		hit := len(found) > 0
		if l.Label == "secret" {
			hit = overlaps(found, l)
		}
		if hit {
			c.found++
			if slices.MaxFunc(found, func(a, b secret.Match) int { return int(100 * (a.Score - b.Score)) }).Score < 0.7 {
				c.weak++
			}
		}
		if show := os.Getenv("SHOW"); show != "" && strings.Contains(key, show) && hit != (l.Label == "secret") {
			fmt.Printf("%s %s: %.300q\n", l.Source, l.ID, l.Text)
			for _, m := range found {
				fmt.Printf("    %s %.2f %q\n", m.Rule, m.Score, l.Text[m.Start:m.End])
			}
		}
	}
	took := time.Since(began)
	keys := make([]string, 0, len(tallies))
	for k := range tallies {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var benign, wrong int
	for _, k := range keys {
		c := tallies[k]
		if c.found > 0 || strings.HasPrefix(k, "secret") {
			t.Logf("%-60s %5d of %5d %6.2f %% (%d below 0.7)", k, c.found, c.all, 100*float64(c.found)/float64(c.all), c.weak)
		}
		if !strings.HasPrefix(k, "secret") && !strings.HasSuffix(k, "secret_negative") {
			benign, wrong = benign+c.all, wrong+c.found
		}
	}
	t.Logf("general text: %d of %d, %.3f %%; %.1f MB/s with reading", wrong, benign, 100*float64(wrong)/float64(benign), float64(bytes)/took.Seconds()/1e6)
}

// overlaps says whether a match is in a span of l, or anywhere if it has none.
func overlaps(found []secret.Match, l labelled) bool {
	if len(l.Spans) == 0 {
		return len(found) > 0
	}
	for _, m := range found {
		for _, s := range l.Spans {
			if m.Start < s.End && s.Start < m.End {
				return true
			}
		}
	}
	return false
}
