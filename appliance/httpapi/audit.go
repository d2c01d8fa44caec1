package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/vault/audit"
)

func (s *Server) auditRoutes() []route {
	const tag = "Audit"
	return []route{
		handle(get, "/v1/audit/events", "queryAuditEvents", s.auditEvents, doc(tag, "The organisation's events, newest first")),
		handle(get, "/v1/audit", "queryAudit", s.auditEvents, doc(tag, "The same as /v1/audit/events")),
		handle(get, "/v1/audit/verify", "verifyAudit", s.auditVerify, doc(tag, "Recompute the log and say what is wrong with it")),
		handle(get, "/v1/audit/checkpoint", "auditCheckpoint", s.auditCheckpoint, doc(tag, "The signed size and root of the log, with all that was logged before")),
		handle(get, "/v1/audit/proof/inclusion", "auditInclusion", s.auditInclusion, doc(tag, "Prove that an event is in the log")),
		handle(get, "/v1/audit/proof/consistency", "auditConsistency", s.auditConsistency, doc(tag, "Prove that the log only grew")),
		handle(get, "/v1/audit/export", "exportAudit", s.auditExport, streams("application/jsonl"), doc(tag, "The whole appliance's log, for its owners")),
	}
}

type auditFilter struct {
	ResourceID   string `query:"resource_id" maxLength:"512" doc:"A resource's id, or a secret's path"`
	ResourceType string `query:"resource_type" maxLength:"64"`
	ActorID      string `query:"actor_id" maxLength:"64"`
	VaultID      string `query:"vault_id" maxLength:"64" doc:"A vault, and what happened in it"`
	Action       string `query:"action" maxLength:"64"`
	From         string `query:"from" doc:"RFC 3339, included"`
	To           string `query:"to" doc:"RFC 3339, not included"`
	Limit        int64  `query:"limit" minimum:"0" maximum:"2147483647" doc:"100 when left out, 1000 at most"`
	Offset       int64  `query:"offset" minimum:"0" maximum:"2147483647"`
}

func (s *Server) auditEvents(ctx context.Context, in *auditFilter) (*reply[api.AuditEventsResponse], error) {
	f := audit.Filter{
		ResourceID: in.ResourceID, ResourceType: in.ResourceType, ActorID: in.ActorID, VaultID: in.VaultID,
		Action: audit.Action(in.Action), Limit: int(in.Limit), Offset: int(in.Offset),
	}
	var err error
	if f.From, err = queryTime("from", in.From); err != nil {
		return nil, err
	}
	if f.To, err = queryTime("to", in.To); err != nil {
		return nil, err
	}
	records, err := s.audit.Query(ctx, caller(ctx).Org, f)
	if err != nil {
		return nil, err
	}
	out := api.AuditEventsResponse{Events: make([]api.AuditEvent, len(records)), Count: len(records)}
	for i, r := range records {
		if out.Events[i], err = wireEvent(r); err != nil {
			return nil, err
		}
	}
	return answer(out)
}

// queryTime reads a time of a query, or a date, which means its beginning.
func queryTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	// A plus that nobody escaped, as in a URL that was typed, arrives as a space.
	typed := strings.Replace(text, " ", "+", 1)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, typed); err == nil {
			return t, nil
		}
	}
	return time.Time{}, invalidField(name, "is not an RFC 3339 time")
}

// EncodeEvent is an event in JSON, as /v1/audit/events shows it.
func EncodeEvent(r audit.Record) ([]byte, error) {
	e, err := wireEvent(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

func wireEvent(r audit.Record) (api.AuditEvent, error) {
	details, err := json.Marshal(r.Details)
	if err != nil {
		return api.AuditEvent{}, err
	}
	out := api.AuditEvent{
		ID: r.ID.String(), Action: string(r.Action), ActorID: r.ActorID, ActorType: r.ActorType,
		ResourceType: r.ResourceType, ResourceID: r.ResourceID, OrgID: r.OrgID.String(),
		Outcome: string(r.Outcome), Reason: r.Reason, Details: details, IPAddress: r.IPAddress,
		CreatedAt: r.CreatedAt.UTC(), Index: r.Index, IntegrityHash: r.IntegrityHash,
	}
	if r.PrevEventID != nil {
		prev := r.PrevEventID.String()
		out.PrevEventID = &prev
	}
	return out, nil
}

type verifyInput struct {
	From       string `query:"from" doc:"RFC 3339: count events from then on"`
	To         string `query:"to"`
	Limit      int64  `query:"limit" minimum:"0" doc:"Stop after so many events; 0: none"`
	Checkpoint string `query:"checkpoint" maxLength:"4096" doc:"An older checkpoint, base64url, that the log must continue"`
}

func (s *Server) auditVerify(ctx context.Context, in *verifyInput) (*reply[api.AuditVerifyResponse], error) {
	scope := audit.Scope{Org: caller(ctx).Org, Limit: uint64(in.Limit)} // not negative, see minimum
	var err error
	if scope.From, err = queryTime("from", in.From); err != nil {
		return nil, err
	}
	if scope.To, err = queryTime("to", in.To); err != nil {
		return nil, err
	}
	if in.Checkpoint != "" {
		if scope.Old, err = base64.RawURLEncoding.DecodeString(in.Checkpoint); err != nil {
			return nil, invalidField("checkpoint", "is not unpadded base64url")
		}
	}
	r, err := s.audit.Verify(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := api.AuditVerifyResponse{
		ChainValid: r.OK(), EventsVerified: r.Verified, EventsChecked: r.Checked,
		Problems: listOf(r.Problems, wireProblem), Unchecked: notNil(r.Unchecked),
		Checkpoint: string(r.Checkpoint.Note), Scheme: audit.Scheme(),
	}
	if broken := r.BrokenAt(); !broken.IsZero() {
		out.BrokenAtEventID = broken.String()
	}
	return answer(out)
}

func wireProblem(p audit.Problem) api.AuditProblem {
	out := api.AuditProblem{Finding: string(p.Finding), Index: p.Index, Detail: p.Text}
	if !p.Event.IsZero() {
		out.EventID = p.Event.String()
	}
	return out
}

func (s *Server) auditCheckpoint(ctx context.Context, _ *none) (*reply[api.AuditCheckpointResponse], error) {
	cp, err := s.audit.CoveringCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	key, err := s.audit.Checkpoints.VerifierKey()
	if err != nil {
		return nil, err
	}
	return answer(api.AuditCheckpointResponse{
		Checkpoint: string(cp.Note), Size: cp.Size, RootHash: base64.StdEncoding.EncodeToString(cp.Root[:]),
		CreatedAt: api.At(cp.Time), VerifierKey: key,
	})
}

type inclusionInput struct {
	Index uint64 `query:"index" required:"true" doc:"The event's place in the log, as X-Audit-Index said"`
	Size  uint64 `query:"size" required:"true" minimum:"1" doc:"A checkpoint's size"`
}

func (s *Server) auditInclusion(ctx context.Context, in *inclusionInput) (*reply[api.AuditInclusionResponse], error) {
	leaf, err := s.audit.Leaf(ctx, caller(ctx).Org, in.Index)
	if err != nil {
		return nil, err
	}
	proof, err := s.audit.InclusionProof(ctx, in.Index, in.Size)
	if err != nil {
		return nil, err
	}
	return answer(api.AuditInclusionResponse{
		Index: in.Index, Size: in.Size, Leaf: base64.StdEncoding.EncodeToString(leaf), Hashes: listOf(proof, wireHash),
	})
}

type consistencyInput struct {
	From uint64 `query:"from" required:"true" minimum:"1" doc:"The older checkpoint's size"`
	To   uint64 `query:"to" required:"true" minimum:"1" doc:"The newer checkpoint's size"`
}

func (s *Server) auditConsistency(ctx context.Context, in *consistencyInput) (*reply[api.AuditConsistencyResponse], error) {
	proof, err := s.audit.ConsistencyProof(ctx, in.From, in.To)
	if err != nil {
		return nil, err
	}
	return answer(api.AuditConsistencyResponse{From: in.From, To: in.To, Hashes: listOf(proof, wireHash)})
}

func wireHash[H ~[32]byte](h H) string {
	b := [32]byte(h)
	return base64.StdEncoding.EncodeToString(b[:])
}

type exportInput struct {
	From uint64 `query:"from" doc:"Number of the first event, from 0: the size at which an earlier export ended"`
}

// auditExport streams: a log is longer than memory. What can be refused is
// refused before the first byte; later an error can only cut the connection,
// which the missing last line shows as well.
func (s *Server) auditExport(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	if err := s.people.Operate(ctx, caller(ctx), audit.AuditExport); err != nil {
		return nil, err
	}
	cp, err := s.audit.Checkpoint(ctx) // it can be signed, and will not be again
	if err != nil {
		return nil, err
	}
	if in.From > cp.Size {
		return nil, audit.ErrBeyond.Detail("the log has %d records", cp.Size)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/jsonl")
		if err := s.audit.Export(hc.Context(), hc.BodyWriter(), in.From); err != nil {
			s.log.Error("audit export broke off", "err", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
