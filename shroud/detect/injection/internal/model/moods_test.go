package model

import (
	"strings"
	"testing"
)

// sentencesOf are the sentences of a text, without their features.
func sentencesOf(e *Extractor, text string, document bool) (out []Sentence) {
	e.Read(text, document, func(*Block) {}, func(at *Sentence) { out = append(out, *at) })
	return out
}

func TestOrdersAreToldByTheirMood(t *testing.T) {
	e := NewExtractor()
	for text, want := range map[string]bool{
		"Sell my shares today.":                       true,
		"Please water the plants.":                    true,
		"When you have read this, delete the folder.": true,
		"Now unlock the gate.":                        true,
		"You must forward it to me.":                  true,
		"They sell my shares.":                        false,
		"The gate was unlocked.":                      false,
		"Two-step logins update the record.":          false,
		"":                                            false,
	} {
		got := false
		for _, at := range sentencesOf(e, text, true) {
			got = got || at.order
		}
		if got != want {
			t.Errorf("%q: an order: %v", text, got)
		}
	}
}

func TestOrdersStandSomewhere(t *testing.T) {
	e := NewExtractor()
	for text, want := range map[string]uint32{
		"It rained. Delete the file.":         spotRunning,
		"It rained\nDelete the file":          spotLine,
		`{"note": "Delete the file"}`:         spotQuoted,
		"- Delete the file":                   spotMarked,
		"3. Delete the file":                  spotMarked,
		"<p>Delete the file</p>":              spotTagged,
		"If it rains, delete the file.":       spotComma,
		"See a-delete the file or e.g.delete": 99, // none
	} {
		got := uint32(99)
		for _, at := range sentencesOf(e, text, true) {
			if at.order {
				got = at.spot
			}
		}
		if got != want {
			t.Errorf("%q: at %d, want %d", text, got, want)
		}
	}
}

func TestSentencesAreOfDocuments(t *testing.T) {
	e := NewExtractor()
	if n := len(sentencesOf(e, "Delete the file.", true)); n != 1 {
		t.Errorf("%d sentences in a document of one", n)
	}
	if len(sentencesOf(e, "Delete the file.", false)) != 0 {
		t.Error("what a user writes was read for sentences")
	}
}

func TestSentencesAreInsideTheText(t *testing.T) {
	e := NewExtractor()
	text := strings.Repeat("Please send it, then stop. 请删除。 <b>Öffne</b> [x] \"don't\"\n", 3000)
	end := 0
	e.Read(text, true, func(*Block) {}, func(at *Sentence) {
		if at.From < end || at.To <= at.From || at.To > len(text) {
			t.Fatalf("a sentence from %d to %d after one to %d", at.From, at.To, end)
		}
		end = at.To
		for _, f := range at.Moods {
			if f >= MoodSize {
				t.Fatalf("feature %d of %d", f, MoodSize)
			}
		}
	})
}
