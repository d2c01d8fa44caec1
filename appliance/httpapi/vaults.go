package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

func (s *Server) vaultRoutes() []route {
	const tag = "Vaults"
	return []route{
		handle(post, "/v1/vaults", "createVault", s.createVault, status(201), doc(tag, "Make a vault and its KEK")),
		handle(get, "/v1/vaults", "listVaults", s.listVaults, doc(tag, "List the vaults within reach")),
		handle(get, "/v1/vaults/{vault_id}", "getVault", s.getVault, doc(tag, "Look at a vault")),
		handle(remove, "/v1/vaults/{vault_id}", "deleteVault", s.deleteVault, doc(tag, "Delete a vault and all in it")),
	}
}

type newVaultInput struct{ Body api.CreateVaultRequest }

func (s *Server) createVault(ctx context.Context, in *newVaultInput) (*reply[api.VaultResponse], error) {
	if in.Body.MPCCustody != nil {
		return nil, invalidField("mpc_custody", "is not supported: vault keys are in the HSM")
	}
	v, err := s.vaults.Create(ctx, caller(ctx), in.Body.Name, in.Body.Description)
	if err != nil {
		return nil, err
	}
	return answer(wireVault(v))
}

func (s *Server) listVaults(ctx context.Context, _ *none) (*reply[api.VaultListResponse], error) {
	all, err := s.vaults.Vaults(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.VaultListResponse{Vaults: listOf(all, wireVault)})
}

type vaultInput struct {
	VaultID id.ID `path:"vault_id" format:"uuid"`
}

func (s *Server) getVault(ctx context.Context, in *vaultInput) (*reply[api.VaultResponse], error) {
	v, err := s.vaults.Vault(ctx, caller(ctx), in.VaultID)
	if err != nil {
		return nil, err
	}
	return answer(wireVault(v))
}

func (s *Server) deleteVault(ctx context.Context, in *vaultInput) (*none, error) {
	return nil, s.vaults.DeleteVault(ctx, caller(ctx), in.VaultID)
}

func wireVault(v vault.Vault) api.VaultResponse {
	return api.VaultResponse{
		ID: v.ID.String(), Name: v.Name, Description: v.Description,
		CreatedBy: v.Creator.ID.String(), CreatedByType: v.Creator.Type, CreatedAt: api.At(v.CreatedAt),
		CMEKEnabled: v.CMEKFingerprint != "", CMEKFingerprint: v.CMEKFingerprint,
	}
}
