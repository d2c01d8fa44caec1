package store

// The table of appliance/auditstream: how far each sink is.
var streamCursors = table[uint64]{name: "stream-cursor", version: 1}

// StreamCursor is the index of the first event that a sink has not taken.
func (t *Tx) StreamCursor(sink string) (uint64, error) {
	next, _, err := streamCursors.get(t, []byte(sink))
	return next, err
}

// PutStreamCursor moves it.
func (t *Tx) PutStreamCursor(sink string, next uint64) error {
	return streamCursors.put(t, []byte(sink), next)
}
