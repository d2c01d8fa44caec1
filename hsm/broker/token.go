package broker

import (
	"encoding/binary"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Token says which token the child opens. It has the fields of the PKCS#11
// module's configuration, in order, so that one converts to the other; this
// package must not import that one, or the daemon would need cgo.
type Token struct {
	Library  string
	Token    string
	URI      string
	PIN      plain.Bytes
	Sessions int
	Handles  int
}

// parts are the fields of opOpen.
func (t Token) parts() [][]byte {
	return [][]byte{
		{protocol}, []byte(t.Library), []byte(t.Token), []byte(t.URI), t.PIN.Reveal(),
		binary.AppendUvarint(nil, uint64(max(t.Sessions, 0))), binary.AppendUvarint(nil, uint64(max(t.Handles, 0))),
	}
}

// parseToken reads the fields of opOpen. It copies them.
func parseToken(body []byte) (Token, error) {
	f := fields{rest: body}
	version := f.next()
	t := Token{Library: string(f.next()), Token: string(f.next()), URI: string(f.next())}
	t.PIN = plain.New(append([]byte(nil), f.next()...))
	sessions, _ := binary.Uvarint(f.next())
	handles, _ := binary.Uvarint(f.next())
	if !f.done() || len(version) != 1 || version[0] != protocol || sessions > 1<<16 || handles > 1<<24 {
		t.PIN.Wipe()
		return Token{}, errFrame
	}
	t.Sessions, t.Handles = int(sessions), int(handles)
	return t, nil
}
