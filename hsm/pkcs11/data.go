//go:build cgo

package pkcs11

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm/soft"
)

// Data objects are replaced by making a new one and destroying the old. Each
// says its number and carries a checksum, so that after a crash between the two,
// or in the middle of a write of a token that keeps its objects in files, the
// newest whole one counts. Layout: format ‖ number (64 bits) ‖ sum ‖ content.
const (
	dataFormat  = 1
	dataSumSize = 8
	dataHeader  = 1 + 8 + dataSumSize
	application = "oneclawd"
	anchorLabel = "oneclawd-anchor"
	maxData     = 16 // objects of one label that are looked at
)

func packData(number uint64, content []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{dataFormat}, number)
	sum := dataSum(b, content)
	return append(append(b, sum...), content...)
}

func dataSum(head, content []byte) []byte {
	h := sha256.New()
	h.Write(head)
	h.Write(content)
	return h.Sum(nil)[:dataSumSize]
}

// unpackData reports whether b is whole.
func unpackData(b []byte) (number uint64, content []byte, ok bool) {
	if len(b) < dataHeader || b[0] != dataFormat {
		return 0, nil, false
	}
	content = b[dataHeader:]
	if !bytes.Equal(b[9:dataHeader], dataSum(b[:9], content)) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(b[1:9]), content, true
}

// dataObjects returns all objects of a label, and the newest whole one's content.
func (m *Module) dataObjects(s p11.SessionHandle, label string) (all []p11.ObjectHandle, number uint64, content []byte, err error) {
	all, err = m.find(s, maxData, attr(p11.CKA_CLASS, p11.CKO_DATA), attr(p11.CKA_TOKEN, true), attr(p11.CKA_LABEL, label))
	if err != nil {
		return nil, 0, nil, err
	}
	for _, object := range all {
		got, err := m.lib.GetAttributeValue(s, object, []*p11.Attribute{attr(p11.CKA_VALUE, nil)})
		if isRV(err, p11.CKR_OBJECT_HANDLE_INVALID) && m.healthy() == nil {
			continue // another process replaced it just now
		}
		if err != nil || len(got) != 1 {
			return nil, 0, nil, m.fail("C_GetAttributeValue", err)
		}
		if n, c, ok := unpackData(got[0].Value); ok && (content == nil || n > number) {
			number, content = n, c
		}
	}
	return all, number, content, nil
}

// readData returns nil if there is no such object.
func (m *Module) readData(s p11.SessionHandle, label string) ([]byte, error) {
	_, _, content, err := m.dataObjects(s, label)
	return content, err
}

// writeData replaces the content of a label.
func (m *Module) writeData(s p11.SessionHandle, label string, content []byte) error {
	old, number, _, err := m.dataObjects(s, label)
	if err != nil {
		return err
	}
	_, err = m.lib.CreateObject(s, []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_DATA), attr(p11.CKA_TOKEN, true), attr(p11.CKA_PRIVATE, true),
		attr(p11.CKA_APPLICATION, application), attr(p11.CKA_LABEL, label), attr(p11.CKA_VALUE, packData(number+1, content)),
	})
	if err != nil {
		return m.fail("C_CreateObject", err)
	}
	for _, object := range old {
		// What stays behind is older and does not count; the next write tries again.
		if err := m.lib.DestroyObject(s, object); err != nil && !isRV(err, p11.CKR_OBJECT_HANDLE_INVALID) {
			return m.fail("C_DestroyObject", err)
		}
	}
	return nil
}

// Anchor implements hsm.Module.
func (m *Module) Anchor(ctx context.Context) ([]byte, error) {
	s, err := m.session(ctx)
	if err != nil {
		return nil, err
	}
	defer m.put(s)
	return m.readData(s, anchorLabel)
}

// SetAnchor implements hsm.Module.
func (m *Module) SetAnchor(ctx context.Context, anchor []byte) error {
	if err := soft.CheckAnchor(anchor); err != nil {
		return err
	}
	if _, err := m.keys(ctx); err != nil {
		return err
	}
	m.anchor.Lock()
	defer m.anchor.Unlock()
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	defer m.put(s)
	return m.writeData(s, anchorLabel, anchor)
}
