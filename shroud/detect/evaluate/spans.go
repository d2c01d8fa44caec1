package main

import (
	"fmt"
	"io"

	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
	"github.com/oneclaw/oneclawd/shroud/detect/pii"
)

// inspect runs all of the engine on a text.
func inspect(it corpus.Item) *detect.Report {
	o := detect.Options{Context: detect.Input}
	if it.Document() {
		o.Context = detect.Document
	}
	return detect.Inspect(it.Text, o)
}

// weak are types of spans without structure: names, places, dates. A share of the
// table leaves them out.
var weak = map[string]bool{
	"PERSON": true, "NAME": true, "ORGANIZATION": true, "LOCATION": true, "GPE": true, "ADDRESS": true, "STREET_ADDRESS": true,
	"TITLE": true, "DATE_TIME": true, "AGE": true, "NRP": true, "PREFIX": true, "CITY": true, "COUNTRY": true, "STATE": true,
	"ZIP_CODE": true, "POSTCODE": true, "NATIONALITY": true, "JOB": true, "RELIGION": true, "TIME": true, "DATE": true, "FAC": true,
}

// tally counts spans that were found, missed, and found where none is.
type tally struct{ found, missed, wrong int }

func (t tally) String() string {
	p := float64(t.found) / float64(max(t.found+t.wrong, 1))
	r := float64(t.found) / float64(max(t.found+t.missed, 1))
	return fmt.Sprintf("precision %.3f  recall %.3f  F1 %.3f  (%d spans)", p, r, 2*p*r/max(p+r, 1e-9), t.found+t.missed)
}

// printSpans prints how exactly personal data is found, and how many credentials
// are.
func printSpans(w io.Writer, judged []judgement) {
	var all, structured tally
	secrets, negatives := [2]int{}, [2]int{}
	for _, j := range judged {
		switch it := j.item; it.Label {
		case corpus.PII:
			all.add(it, j.report.PII, false)
			structured.add(it, j.report.PII, true)
		case corpus.Secret:
			count(&secrets, j)
		default:
			count(&negatives, j)
		}
	}
	fmt.Fprintf(w, "\npersonal data, by place and not by type: a span counts as found if half of both is common\n")
	fmt.Fprintf(w, "  %-12s %s\n  %-12s %s\n", "structured", structured, "all", all)
	fmt.Fprintf(w, "\ncredentials: %d of %d texts that have one; in %d of %d that have none\n", secrets[0], secrets[1], negatives[0], negatives[1])
}

func count(n *[2]int, j judgement) {
	n[1]++
	if len(j.report.Secrets) > 0 {
		n[0]++
	}
}

// add compares spans that should be found with those that were. What overlaps a
// span that is left out is neither right nor wrong.
func (t *tally) add(it corpus.Item, got []detect.Finding, structured bool) {
	taken := make([]bool, len(got))
	for i, m := range got {
		taken[i] = structured && pii.Weak(m.Pattern)
	}
	for _, s := range it.Spans {
		leaveOut := structured && weak[s.Type]
		hit := false
		for i, m := range got {
			if structured && pii.Weak(m.Pattern) {
				continue
			}
			common := min(s.End, m.End) - max(s.Start, m.Start)
			if common <= 0 {
				continue
			}
			if leaveOut {
				taken[i] = true
			} else if 2*common >= s.End-s.Start && 2*common >= m.End-m.Start {
				hit, taken[i] = true, true
			}
		}
		switch {
		case leaveOut:
		case hit:
			t.found++
		default:
			t.missed++
		}
	}
	for _, ok := range taken {
		if !ok {
			t.wrong++
		}
	}
}
