package corpus

import (
	"math"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	items, err := Read(strings.NewReader(`{"id":"a","label":"pii","source":"garak-x","text":"Ärger: Zoë","spans":[{"start":7,"end":10,"type":"PERSON"}]}

{"id":"b","label":"secret","source":"code:age","text_b64":"aGVsbG8="}
`))
	if err != nil || len(items) != 2 {
		t.Fatal(items, err)
	}
	if s := items[0].Spans[0]; items[0].Text[s.Start:s.End] != "Zoë" {
		t.Errorf("the span is %q", items[0].Text[s.Start:s.End])
	}
	if items[1].Text != "hello" {
		t.Errorf("decoded %q", items[1].Text)
	}
	if a, b := items[0].Family(), items[1].Family(); a != "garak" || b != "project:age" {
		t.Error(a, b)
	}
	for _, bad := range []string{"{", `{"text_b64":"?"}`} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestMeasures(t *testing.T) {
	neg := []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}
	if got := Threshold(neg, 0.1); got != 0.9 {
		t.Errorf("one of ten is above %v", got)
	}
	if got := Above([]float64{0.9, 0.91, 2}, 0.9); math.Abs(got-2.0/3) > 1e-9 {
		t.Errorf("above: %v", got)
	}
	for _, c := range []struct {
		pos  []float64
		want float64
	}{{[]float64{2, 3}, 1}, {[]float64{0}, 0}, {[]float64{0.55}, 0.5}, {[]float64{1}, 0.95}} {
		if got := AUC(c.pos, neg); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("AUC of %v is %v, want %v", c.pos, got, c.want)
		}
	}
	if !math.IsNaN(AUC(nil, neg)) || !math.IsNaN(Above(nil, 0)) {
		t.Error("nothing was measured")
	}
}
