package client

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// AuditQuery says which events are wanted. The zero value is the newest hundred.
type AuditQuery struct {
	ResourceID   string // an id, or a secret's path
	ResourceType string
	ActorID      string
	VaultID      string // a vault, and what happened in it
	Action       string
	From, To     time.Time // from then on, and until before then
	Limit        int       // at most 1000
	Offset       int
}

func (q AuditQuery) query() query {
	return query{}.text("resource_id", q.ResourceID).text("resource_type", q.ResourceType).text("actor_id", q.ActorID).
		text("vault_id", q.VaultID).text("action", q.Action).time("from", q.From).time("to", q.To).number("limit", q.Limit).number("offset", q.Offset)
}

// QueryAuditEvents is a page of the organisation's events, newest first. AuditEvents
// reads all of them.
func (c *Client) QueryAuditEvents(ctx context.Context, q AuditQuery) (api.AuditEventsResponse, error) {
	return read[api.AuditEventsResponse](ctx, c, "/v1/audit/events", q.query())
}

// QueryAudit is QueryAuditEvents under its other route.
func (c *Client) QueryAudit(ctx context.Context, q AuditQuery) (api.AuditEventsResponse, error) {
	return read[api.AuditEventsResponse](ctx, c, "/v1/audit", q.query())
}

// AuditVerification says what of the log is recomputed. The zero value is all of it.
type AuditVerification struct {
	From, To   time.Time
	Limit      int    // stop after so many events
	Checkpoint []byte // an older signed note that the log must continue
}

// VerifyAudit has the appliance recompute the log and say what is wrong with it. To
// trust the answer less than the appliance, check proofs with its checkpoints.
func (c *Client) VerifyAudit(ctx context.Context, v AuditVerification) (api.AuditVerifyResponse, error) {
	return read[api.AuditVerifyResponse](ctx, c, "/v1/audit/verify", query{}.time("from", v.From).time("to", v.To).
		number("limit", v.Limit).text("checkpoint", base64.RawURLEncoding.EncodeToString(v.Checkpoint)))
}

// AuditCheckpoint is the signed size and root of the log. Keep it, and the key the
// first time, to ask later whether the log only grew.
func (c *Client) AuditCheckpoint(ctx context.Context) (api.AuditCheckpointResponse, error) {
	return read[api.AuditCheckpointResponse](ctx, c, "/v1/audit/checkpoint", nil)
}

// AuditInclusion proves that the event at an index, which AuditIndexHeader said, is
// in the log of a checkpoint's size. Of another organisation's events it says
// ErrNotFound.
func (c *Client) AuditInclusion(ctx context.Context, index, size uint64) (api.AuditInclusionResponse, error) {
	return read[api.AuditInclusionResponse](ctx, c, "/v1/audit/proof/inclusion", query{}.index("index", index).index("size", size))
}

// AuditConsistency proves that the log of one checkpoint's size is the beginning of
// that of another's.
func (c *Client) AuditConsistency(ctx context.Context, from, to uint64) (api.AuditConsistencyResponse, error) {
	return read[api.AuditConsistencyResponse](ctx, c, "/v1/audit/proof/consistency", query{}.index("from", from).index("to", to))
}

// ExportAudit streams the whole appliance's log from an event on, one JSON object in
// a line. The caller closes it. It is for who runs the appliance. Reading ends in an
// error where the stream broke off; only the context limits how long it takes.
func (c *Client) ExportAudit(ctx context.Context, from uint64) (io.ReadCloser, error) {
	patient, h := *c, *c.http
	h.Timeout = 0 // it would cut the stream off
	patient.http = &h
	res, err := patient.send(ctx, call{method: http.MethodGet, path: "/v1/audit/export", query: query{}.index("from", from)})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
