package httpapi

import (
	"context"
	"encoding/base64"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
)

func (s *Server) cmekRoutes() []route {
	const (
		tag    = "CMEK"
		cmek   = "/v1/vaults/{vault_id}/cmek"
		rotate = "/v1/vaults/{vault_id}/cmek-rotate"
	)
	return []route{
		handle(post, cmek, "enableCmek", s.enableCMEK, doc(tag, "Say that values are encrypted with a key of the customer's")),
		handle(remove, cmek, "disableCmek", s.disableCMEK, doc(tag, "Say that new values are not")),
		handle(post, rotate, "rotateCmek", s.rotateCMEK, status(202), doc(tag, "Encrypt all values with another key")),
		handle(get, rotate+"/{job_id}", "getCmekRotationJob", s.cmekJob, doc(tag, "See how far that is")),
	}
}

type enableCMEKInput struct {
	VaultID id.ID `path:"vault_id" format:"uuid"`
	Body    api.EnableCmekRequest
}

func (s *Server) enableCMEK(ctx context.Context, in *enableCMEKInput) (*reply[api.VaultResponse], error) {
	v, err := s.vaults.EnableCMEK(ctx, caller(ctx), in.VaultID, in.Body.Fingerprint)
	if err != nil {
		return nil, err
	}
	return answer(wireVault(v))
}

func (s *Server) disableCMEK(ctx context.Context, in *vaultInput) (*reply[api.VaultResponse], error) {
	v, err := s.vaults.DisableCMEK(ctx, caller(ctx), in.VaultID)
	if err != nil {
		return nil, err
	}
	return answer(wireVault(v))
}

const (
	oldKeyHeader = "x-cmek-old-key"
	newKeyHeader = "x-cmek-new-key"
)

// rotateCMEKInput has the keys in headers, where the clients put them. Nothing
// of ours logs headers.
type rotateCMEKInput struct {
	VaultID id.ID  `path:"vault_id" format:"uuid"`
	OldKey  string `header:"x-cmek-old-key" required:"true" doc:"base64 of 32 bytes"`
	NewKey  string `header:"x-cmek-new-key" required:"true" doc:"base64 of 32 bytes"`
	Body    api.CmekRotateRequest
}

func (s *Server) rotateCMEK(ctx context.Context, in *rotateCMEKInput) (*reply[api.CmekRotationJobResponse], error) {
	from, err := cmekKey(oldKeyHeader, in.OldKey)
	if err != nil {
		return nil, err
	}
	to, err := cmekKey(newKeyHeader, in.NewKey)
	if err != nil {
		from.Wipe()
		return nil, err
	}
	job, err := s.vaults.RotateCMEK(ctx, caller(ctx), in.VaultID, vault.CMEKChange{
		Old: from, New: to, NewFingerprint: in.Body.NewFingerprint,
	})
	if err != nil {
		return nil, err
	}
	return answer(wireCMEKJob(job))
}

// cmekKey decodes a key. Its length is the service's to judge.
func cmekKey(header, text string) (plain.Bytes, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 32 {
		clear(raw)
		return plain.Bytes{}, invalidField(header, "must be base64 of 32 bytes")
	}
	return plain.New(raw), nil
}

type cmekJobInput struct {
	VaultID id.ID `path:"vault_id" format:"uuid"`
	JobID   id.ID `path:"job_id" format:"uuid"`
}

func (s *Server) cmekJob(ctx context.Context, in *cmekJobInput) (*reply[api.CmekRotationJobResponse], error) {
	job, err := s.vaults.CMEKJob(ctx, caller(ctx), in.VaultID, in.JobID)
	if err != nil {
		return nil, err
	}
	return answer(wireCMEKJob(job))
}

func wireCMEKJob(j vault.CMEKJob) api.CmekRotationJobResponse {
	return api.CmekRotationJobResponse{
		ID: j.ID.String(), VaultID: j.Vault.String(), OldFingerprint: j.OldFingerprint, NewFingerprint: j.NewFingerprint,
		Status: string(j.Status), TotalSecrets: j.Total, Processed: j.Processed, Error: j.Error,
		StartedAt: api.At(j.CreatedAt), CompletedAt: api.AtOrNone(j.EndedAt), CreatedAt: api.At(j.CreatedAt),
	}
}
