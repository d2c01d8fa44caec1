package httpapi

import (
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// writer remembers how a request was answered and adds, at the last moment
// before the headers leave, where the audit log has the event of it. Doing it
// here covers every answer alike: success, refusal, failed authentication.
type writer struct {
	http.ResponseWriter
	receipts *audit.Receipts
	status   int // 0 until the headers left
}

// WriteHeader implements http.ResponseWriter. Only the first call counts.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	w.stampReceipt()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher where the connection does.
func (w *writer) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Headers that say where the event of a request is: enough, with an inclusion
// proof for the index, to show later that the log still has it.
const (
	auditEventHeader = "X-Audit-Event"
	auditIndexHeader = "X-Audit-Index"
	auditLeafHeader  = "X-Audit-Leaf"
)

// stampReceipt announces the last event, which is the one that decided.
func (w *writer) stampReceipt() {
	if w.receipts == nil {
		return
	}
	all := w.receipts.All()
	if len(all) == 0 {
		return
	}
	last, h := all[len(all)-1], w.Header()
	h[auditEventHeader] = []string{last.Event.String()}
	h[auditIndexHeader] = []string{strconv.FormatUint(last.Index, 10)}
	h[auditLeafHeader] = []string{base64.StdEncoding.EncodeToString(last.Leaf[:])}
}
