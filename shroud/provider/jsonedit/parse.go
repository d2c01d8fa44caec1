package jsonedit

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"

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
	text   string // src once more, so that values need no copies of their own
	places []place
}

// Parse reads a text of exactly one value. The document keeps src, which must
// not be changed while it is used.
func Parse(src []byte) (*Doc, error) { return parse(src) }

// ParseLoose is Parse for texts that others made and that every reader of the
// nodes takes in full: names may come twice, and what is no UTF-8 reads as
// U+FFFD.
func ParseLoose(src []byte) (*Doc, error) { return parse(src, loose()...) }

func loose() []jsontext.Options {
	return []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
}

func parse(src []byte, o ...jsontext.Options) (*Doc, error) {
	if len(src) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	d := &Doc{src: src, text: string(src), places: make([]place, 0, 16+len(src)/64)}
	dec := jsontext.NewDecoder(bytes.NewBuffer(src), o...)
	if err := d.read(dec, nil); err != nil {
		return nil, refusal(dec, err)
	}
	return d, nil
}

// Parser is ParseLoose for one small text after the other. A document is good
// until the next one is read; the texts that it gave are for good.
type Parser struct {
	dec  *jsontext.Decoder
	how  []jsontext.Options
	buf  bytes.Buffer
	open []int32
	doc  Doc
}

// Parse reads a text.
func (p *Parser) Parse(src []byte) (*Doc, error) {
	if len(src) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	p.buf = *bytes.NewBuffer(src)
	if p.dec == nil {
		p.how, p.open = loose(), make([]int32, 0, 16)
		p.dec = jsontext.NewDecoder(&p.buf, p.how...)
	} else {
		p.dec.Reset(&p.buf, p.how...)
	}
	p.doc = Doc{src: src, text: string(src), places: p.doc.places[:0]}
	if err := p.doc.read(p.dec, p.open); err != nil {
		return nil, refusal(p.dec, err)
	}
	return &p.doc, nil
}

// read takes all tokens, and insists on an end behind the first value.
func (d *Doc) read(dec *jsontext.Decoder, open []int32) error {
	for {
		kind := dec.PeekKind()
		switch kind {
		case '{', '[':
			if len(open) == maxDepth {
				return ErrDepth
			}
			if _, err := dec.ReadToken(); err != nil {
				return err
			}
			open = append(open, int32(len(d.places)))
			d.add(Kind(kind), dec.InputOffset()-1, dec.InputOffset())
		case '}', ']':
			if _, err := dec.ReadToken(); err != nil {
				return err
			}
			p := &d.places[open[len(open)-1]]
			p.end, p.next = int32(dec.InputOffset()), int32(len(d.places))
			open = open[:len(open)-1]
		default: // a scalar, or what is none and fails here
			v, err := dec.ReadValue()
			if err != nil {
				return err
			}
			d.add(Kind(kind), dec.InputOffset()-int64(len(v)), dec.InputOffset())
		}
		if len(open) == 0 {
			if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
				return errors.Join(ErrSyntax, err)
			}
			return nil
		}
	}
}

func (d *Doc) add(kind Kind, start, end int64) {
	next := len(d.places) + 1
	d.places = append(d.places, place{start: int32(start), end: int32(end), next: int32(next), kind: kind})
}

// refusal says what is wrong with a text, in words that repeat nothing of it.
func refusal(dec *jsontext.Decoder, err error) error {
	why := ErrSyntax
	switch {
	case errors.Is(err, ErrDepth):
		return ErrDepth
	case errors.Is(err, jsontext.ErrDuplicateName):
		why = ErrDuplicate
	}
	at := dec.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.ByteOffset
	}
	return why.Detail("near byte %d", at)
}
