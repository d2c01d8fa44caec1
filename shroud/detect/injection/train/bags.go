package main

import (
	"slices"
	"sync"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// bag is a text as the trainer sees it: the blocks of all its views, and the
// runs of them that are judged one by one. An attack is a bag with at least one
// bad window; a harmless text has none.
type bag struct {
	item      corpus.Item
	attack    bool
	weight    float32
	related   uint64 // folds, by bit, that hold this text in another form
	group     int    // what is left out together
	blocks    []model.Block
	windows   []window
	views     []viewSpan
	said      [][]uint32 // the sentences of documents
	tricks    uint32     // kinds of tricks
	made      bool       // by the trainer's grammar, not of the data
	document  bool
	disguised bool
}

type window struct{ from, to int }

// viewSpan is the blocks and windows of one view.
type viewSpan struct {
	blocks, windows [2]int
	said            [2]int // sentences of a document
	chain           []string
}

// extractor is what all bags are made with.
var extractor = sync.OnceValue(model.NewExtractor)

// bagOf makes a bag of a text.
func bagOf(it corpus.Item, group int, made bool) *bag {
	b := &bag{item: it, attack: it.Label == corpus.Attack, group: group, made: made, document: it.Document()}
	b.extract(extractor())
	return b
}

// extract fills in what the models see of a bag.
func (b *bag) extract(e *model.Extractor) {
	n := view.Normalise(b.item.Text)
	b.tricks, b.disguised = model.TrickBits(n.Tricks), model.Disguised(n.Tricks, len(b.item.Text))
	views, _ := view.Views(n, view.Budget{})
	for _, v := range views {
		said, base, first := len(b.said), len(b.blocks), len(b.windows)
		e.Read(v.Text, b.document || model.Hidden(v.Chain), func(bl *model.Block) {
			kept := *bl
			kept.Words, kept.Ideas = slices.Clone(bl.Words), slices.Clone(bl.Ideas)
			b.blocks = append(b.blocks, kept)
		}, func(at *model.Sentence) {
			b.said = append(b.said, slices.Clone(at.Moods))
		})
		model.Windows(len(b.blocks)-base, func(from, to int) {
			b.windows = append(b.windows, window{base + from, base + to})
		})
		b.views = append(b.views, viewSpan{blocks: [2]int{base, len(b.blocks)}, windows: [2]int{first, len(b.windows)}, said: [2]int{said, len(b.said)}, chain: v.Chain})
	}
}
