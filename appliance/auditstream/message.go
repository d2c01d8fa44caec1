package auditstream

import (
	"strconv"
	"strings"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// MaxMessage is the size in bytes that no syslog message exceeds. Events are
// bounded when they are written, far below it.
const MaxMessage = 64 << 10

// What RFC 5424 calls them, and how long they may be (section 6).
const (
	facilityAudit = 13 // log audit
	appName       = "oneclawd"
	structureID   = "oneclawd@32473" // RFC 5612: the enterprise number of examples
	maxHostname   = 255
	maxMessageID  = 32
	bom           = "\ufeff" // MSG is UTF-8
)

func severity(o audit.Outcome) int {
	switch o {
	case audit.Failed:
		return 3 // error
	case audit.Refused:
		return 4 // warning
	default:
		return 6 // informational
	}
}

// message is an event as a syslog message (RFC 5424 section 6).
func message(e Event, hostname, process string) []byte {
	params := []string{
		"index", strconv.FormatUint(e.Index, 10), "event_id", e.ID.String(), "org_id", e.OrgID.String(),
		"actor_type", e.ActorType, "actor_id", e.ActorID, "outcome", string(e.Outcome),
	}
	text := e.JSON
	if len(text) > MaxMessage-4096 { // never, see above; what is left still says which event it is
		text, params = nil, append(params, "omitted_bytes", strconv.Itoa(len(text)))
	}
	out := make([]byte, 0, len(text)+512)
	out = append(out, '<')
	out = strconv.AppendInt(out, int64(facilityAudit*8+severity(e.Outcome)), 10)
	out = append(out, ">1 "...)
	out = e.CreatedAt.UTC().AppendFormat(out, "2006-01-02T15:04:05.000000Z07:00")
	for _, field := range []string{
		printable(hostname, maxHostname), appName, printable(process, 128), printable(string(e.Action), maxMessageID),
	} {
		out = append(append(out, ' '), field...)
	}
	out = append(append(out, " ["...), structureID...)
	for i := 0; i < len(params); i += 2 {
		if params[i+1] != "" {
			out = appendParam(out, params[i], params[i+1])
		}
	}
	out = append(out, ']')
	if text != nil {
		out = append(append(append(out, ' '), bom...), text...)
	}
	return out
}

// maxParam bounds a parameter's value, in bytes before it is escaped.
const maxParam = 256

// appendParam appends an SD-PARAM (RFC 5424 section 6.3.3).
func appendParam(out []byte, name, value string) []byte {
	value = strings.ToValidUTF8(value[:min(len(value), maxParam)], "\ufffd")
	out = append(append(append(out, ' '), name...), `="`...)
	for i := range len(value) {
		if c := value[i]; c == '"' || c == '\\' || c == ']' {
			out = append(out, '\\')
		}
		out = append(out, value[i])
	}
	return append(out, '"')
}

// printable makes s a header field: PRINTUSASCII, at most limit of them, or the
// NILVALUE.
func printable(s string, limit int) string {
	if s == "" {
		return "-"
	}
	out := []byte(s[:min(len(s), limit)])
	for i, c := range out {
		if c < '!' || c > '~' {
			out[i] = '_'
		}
	}
	return string(out)
}
