package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

type (
	headerKey      struct{}
	idempotencyKey struct{}
)

// Headers of an answer that say where the audit log has the event of the
// request, for CaptureHeader: enough, with AuditInclusion for the index, to show
// later that the log still has it.
const (
	AuditEventHeader = "X-Audit-Event" // the event's id
	AuditIndexHeader = "X-Audit-Index" // its place in the log
	AuditLeafHeader  = "X-Audit-Leaf"  // the hash of its leaf, standard base64
)

// CaptureHeader has calls with the context that it returns put the header of
// their answer into h, refusals too. Where a call is sent more than once, it is
// that of the last answer. Calls that run at the same time need one each.
func CaptureHeader(ctx context.Context, h *http.Header) context.Context {
	return context.WithValue(ctx, headerKey{}, h)
}

func capture(ctx context.Context, header http.Header) {
	if h, ok := ctx.Value(headerKey{}).(*http.Header); ok {
		*h = header.Clone()
	}
}

// WithIdempotencyKey gives a call an Idempotency-Key of the caller's own: one that
// is known after a restart, so that the same transaction is never sent twice.
// Without it each call makes one up. It is for one transaction: another one with
// the same key is refused with ErrConflict.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// idempotent is the header of a call that done twice is done once.
func idempotent(ctx context.Context) http.Header {
	key, ok := ctx.Value(idempotencyKey{}).(string)
	if !ok {
		var raw [16]byte
		_, _ = rand.Read(raw[:]) // it never fails
		key = hex.EncodeToString(raw[:])
	}
	return http.Header{"Idempotency-Key": {key}}
}
