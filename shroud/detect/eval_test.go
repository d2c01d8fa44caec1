package detect

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"sort"
	"testing"
	"time"
)

// TestEval prints, for a file of labelled texts that DATA names, how many texts of
// each label and category are found to be suspicious or worse, and by which
// patterns. It decides nothing.
func TestEval(t *testing.T) {
	name := os.Getenv("DATA")
	if name == "" {
		t.Skip("DATA names no file")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type count struct{ texts, bad, warned int }
	sums, patterns := map[string]*count{}, map[string]int{}
	examples := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	total, took, worst := 0, time.Duration(0), time.Duration(0)
	for lines.Scan() {
		var d struct{ Label, Category, Source, Text, Text_b64 string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		if b, err := base64.StdEncoding.DecodeString(d.Text_b64); err == nil && d.Text == "" {
			d.Text = string(b)
		}
		began := time.Now()
		r := Inspect(d.Text, Options{})
		spent := time.Since(began)
		total, took, worst = total+len(d.Text), took+spent, max(worst, spent)
		key := d.Label + " " + d.Category
		if d.Label == "benign" {
			key += " " + d.Source
		}
		if sums[key] == nil {
			sums[key] = &count{}
		}
		c := sums[key]
		c.texts++
		bad := map[string]bool{}
		for _, x := range r.Threats {
			if x.Severity >= High {
				bad[string(x.Type)+"/"+x.Pattern] = true
				k := d.Label + " " + string(x.Type) + "/" + x.Pattern
				if os.Getenv("SHOW") == k {
					examples[k] += d.Source + ": " + d.Text[max(0, x.Start-60):min(len(d.Text), x.End+30)] + "\n-----\n"
				}
			}
		}
		for _, list := range [][]Finding{r.PII, r.Secrets} {
			for _, x := range list {
				if x.Severity >= High {
					bad[string(x.Type)+"/"+x.Pattern] = true
				}
			}
		}
		for p := range bad {
			patterns[d.Label+" "+p]++
		}
		if len(bad) > 0 {
			c.bad++
		} else if !r.Safe {
			c.warned++
		}
	}
	var keys []string
	for k := range sums {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		c := sums[k]
		t.Logf("%-60s %5d texts  %5.1f %% suspicious  %5.1f %% warned", k, c.texts, 100*float64(c.bad)/float64(c.texts), 100*float64(c.warned)/float64(c.texts))
	}
	keys = keys[:0]
	for k := range patterns {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		t.Logf("%-60s %5d", k, patterns[k])
	}
	for _, e := range examples {
		t.Log(e)
	}
	t.Logf("%.1f MB/s, at worst %v", float64(total)/1e6/took.Seconds(), worst)
}
