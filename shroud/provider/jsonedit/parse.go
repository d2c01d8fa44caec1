package jsonedit

import (
	"math"
	"unsafe"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// maxDepth is how deep a text may be nested: far beyond what people and
// programs write, and far below what a recursive reader can bear.
const maxDepth = 128

// Refusals. Their details tell where, never what.
var (
	ErrSyntax    = fault.New(fault.Invalid, "json_invalid", "the body is not valid JSON")
	ErrDuplicate = fault.New(fault.Invalid, "json_duplicate_name", "an object of the body has the same name twice")
	ErrDepth     = fault.New(fault.Invalid, "json_too_deep", "the body is nested too deeply")
	ErrTooLarge  = fault.New(fault.TooLarge, "json_too_large", "the body is too large")
)

// Kind is what a node is: the first byte of such a value, as in JSON.
type Kind byte

// The kinds. None is the kind of a node that is not there.
const (
	None   Kind = 0
	Null   Kind = 'n'
	False  Kind = 'f'
	True   Kind = 't'
	String Kind = '"'
	Number Kind = '0'
	Object Kind = '{'
	Array  Kind = '['
)

// place is one token, or the whole of an object or array.
type place struct {
	start, end int32 // in the text
	next       int32 // the place behind this one and all that it holds
	kind       Kind
}

// Doc is a text and the places of its tokens, in the order of the text. A
// member of an object is two places: its name, its value.
type Doc struct {
	src    []byte
	text   string // the same, so that values need no copies of their own
	places []place
}

// Parse reads a text of exactly one value. The document keeps src, which must
// not be changed from then on.
func Parse(src []byte) (*Doc, error) { return parse(src, false) }

// ParseLoose is Parse for texts that others made and that every reader of the
// nodes takes in full: names may come twice, and what is no UTF-8 reads as
// U+FFFD.
func ParseLoose(src []byte) (*Doc, error) { return parse(src, true) }

func parse(src []byte, loose bool) (_ *Doc, err error) {
	if len(src) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	d := &Doc{src: src, text: unsafe.String(unsafe.SliceData(src), len(src))} //nolint:gosec // src does not change from now on, and a copy would be of megabytes
	if d.places, err = scan(d.text, loose, make([]place, 0, 16+len(src)/64)); err != nil {
		return nil, err
	}
	return d, nil
}

// Parser is ParseLoose for one small text after the other, which may be changed when
// the next one is read. A document is good until then; the texts that it gave are for
// good.
type Parser struct{ doc Doc }

// Parse reads a text.
func (p *Parser) Parse(src []byte) (_ *Doc, err error) {
	if len(src) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	p.doc = Doc{src: src, text: string(src), places: p.doc.places[:0]}
	if p.doc.places, err = scan(p.doc.text, true, p.doc.places); err != nil {
		return nil, err
	}
	return &p.doc, nil
}
