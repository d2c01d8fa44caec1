package injection

import (
	_ "embed" // the weights
	"sync"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// Role is what a text came as.
type Role uint8

// Roles. What operators write, system and developer messages, is not judged.
const (
	User     Role = iota // typed by a user
	Document             // a tool result, a file, a mail, a page
)

// Result is what Score found.
type Result struct {
	Score float64 // 0 to 1; 0.7 is about one false alarm in a hundred
	Hits  []Hit   // why, the views in their order
}

// Hit is a place that speaks for an injection.
type Hit struct {
	Rule       string // a name of the rules, or Learned
	View       int    // index into the views
	Start, End int    // bytes of that view's text
	Weight     float64
	Why        string
}

// Learned is the Rule of a Hit that no rule made: the models know such wordings.
const Learned = "learned"

//go:embed weights.bin
var weights []byte

// load decodes the weights once. They are built in: that they do not fit the code
// is a mistake of whoever built it, and every test sees it.
var load = sync.OnceValue(func() *model.Model {
	m, err := model.New(weights)
	if err != nil {
		panic(err)
	}
	return m
})

// Score judges the views of one text, the normalised text first. Tricks are what
// was found when it was normalised.
func Score(views []view.View, tricks []view.Trick, role Role) Result {
	m := load()
	bits := model.TrickBits(tricks)
	var out Result
	for i, v := range views {
		r := m.Read(v.Text, role == Document || model.Hidden(v.Chain))
		disguised := i == 0 && model.Disguised(tricks, v.End-v.Start)
		context := model.Context{Tricks: bits, Disguised: disguised, Chain: v.Chain}
		score := m.Score(context.Logit(r))
		out.Score = max(out.Score, score)
		for _, h := range r.Hits {
			rule := &model.Ruleset[h.Rule]
			out.Hits = append(out.Hits, Hit{Rule: rule.Name, View: i, Start: h.From, End: h.To, Weight: m.Vote(h.Rule), Why: rule.Why})
		}
		if score > 0.5 {
			why := "reads like known injections"
			switch {
			case disguised:
				why = "all of it is written so that it is read as something else"
			case r.Order:
				why = "an order, in what is only to be read"
			}
			out.Hits = append(out.Hits, Hit{Rule: Learned, View: i, Start: r.From, End: r.To, Weight: score, Why: why})
		}
	}
	return out
}
