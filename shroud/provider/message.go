package provider

import (
	"encoding/base64"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// Message is a body and the texts in it.
type Message struct {
	Texts  []Text
	Opaque int // bytes of what is no text: images, sound, documents in formats of their own

	body    []byte
	doc     *jsonedit.Doc // nil if the body is no JSON: then it is one text
	sites   []site        // where each text is
	shadows []shadow
	edits   []jsonedit.Edit // asked for by other means than Rewrite
}

// site is the place of a text.
type site struct {
	node   jsonedit.Node
	in     *inner // the JSON inside a string that node is of, or nil
	prefix string // what stands before base64
	base64 bool
	// channel is what the text is a piece of, if it is one of a stream's.
	channel *Channel
}

// inner is JSON in a string of other JSON.
type inner struct {
	outer jsonedit.Node
	doc   *jsonedit.Doc
}

// shadow repeats in another form what texts say: it goes when one of them changes.
type shadow struct {
	node     jsonedit.Node
	from, to int // the texts
}

// Path says where a text is, as a JSON pointer. A "#" leads into JSON that is
// inside a string.
func (m *Message) Path(i int) string {
	switch s := m.sites[i]; {
	case m.doc == nil:
		return ""
	case s.in != nil:
		return m.doc.Pointer(s.in.outer) + "#" + s.in.doc.Pointer(s.node)
	default:
		return m.doc.Pointer(s.node)
	}
}

// Rewrite is the body with other texts, by their index. The message itself does
// not change.
func (m *Message) Rewrite(texts map[int]string) ([]byte, error) {
	edits := m.edits[:len(m.edits):len(m.edits)]
	nested := map[*inner][]jsonedit.Edit{}
	for i, t := range m.Texts {
		to, ok := texts[i]
		if !ok || to == t.Value {
			continue
		}
		if t.Signed {
			return nil, ErrSigned
		}
		if m.doc == nil {
			return []byte(to), nil
		}
		s := m.sites[i]
		edit := jsonedit.Edit{Node: s.node, With: s.encode(to)}
		if s.in != nil {
			nested[s.in] = append(nested[s.in], edit)
		} else {
			edits = append(edits, edit)
		}
		for _, sh := range m.shadows {
			if i >= sh.from && i < sh.to {
				edits = append(edits, jsonedit.Edit{Node: sh.node, With: sh.gone()})
			}
		}
	}
	for in, of := range nested {
		edits = append(edits, jsonedit.Edit{Node: in.outer, With: jsonedit.Quote(string(in.doc.Apply(of)))})
	}
	if m.doc == nil {
		return m.body, nil
	}
	return m.doc.Apply(edits), nil
}

// gone is what stands in its place.
func (s shadow) gone() []byte {
	if s.node.Kind() == jsonedit.Array {
		return []byte("[]")
	}
	return []byte("null")
}

// encode is a text as it stands in the body.
func (s site) encode(text string) []byte {
	if s.base64 {
		text = s.prefix + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return jsonedit.Quote(text)
}
