package mcp

import (
	"context"
	"fmt"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
)

type createVaultArgs struct {
	Name        string `json:"name" jsonschema:"What people call it"`
	Description string `json:"description,omitempty" jsonschema:"What it is for"`
}

type vaultItem struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Owner     string `json:"owner"`
	CreatedAt string `json:"created_at"`
}

func vaultOf(v api.VaultResponse) vaultItem {
	return vaultItem{v.ID, v.Name, v.CreatedByType + ":" + v.CreatedBy, until(v.CreatedAt)}
}

func createVault(ctx context.Context, c *call, in createVaultArgs) (string, vaultItem, error) {
	v, err := c.api.CreateVault(ctx, api.CreateVaultRequest{Name: in.Name, Description: in.Description})
	if err != nil {
		return "", vaultItem{}, err
	}
	out := vaultOf(v)
	return fmt.Sprintf("Vault created successfully.\n  ID: %s\n  Name: %s\n  Owner: %s\n\n"+
		"Its maker has all rights in it. Others get some with grant_access.", out.ID, out.Name, out.Owner), out, nil
}

type vaultList struct {
	Vaults []vaultItem `json:"vaults"`
}

func listVaults(ctx context.Context, c *call, _ struct{}) (string, vaultList, error) {
	out := vaultList{Vaults: []vaultItem{}}
	all, err := c.api.ListVaults(ctx)
	if err != nil {
		return "", out, err
	}
	var text strings.Builder
	for _, v := range all.Vaults {
		out.Vaults = append(out.Vaults, vaultOf(v))
		fmt.Fprintf(&text, "\n- %s  (id: %s, created by: %s, %s)", v.Name, v.ID, v.CreatedByType, until(v.CreatedAt))
	}
	if len(out.Vaults) == 0 {
		return "No vaults found. Create one with create_vault.", out, nil
	}
	return fmt.Sprintf("Found %d vault(s):%s", len(out.Vaults), text.String()), out, nil
}

type grantArgs struct {
	VaultID       string   `json:"vault_id" jsonschema:"Id of the vault"`
	PrincipalType string   `json:"principal_type" jsonschema:"Whom: a person or an agent"`
	PrincipalID   string   `json:"principal_id" jsonschema:"Their id"`
	Permissions   []string `json:"permissions,omitempty" jsonschema:"What they may do"`
	Pattern       string   `json:"secret_path_pattern,omitempty" jsonschema:"On which paths: * is one segment, ** any number"`
}

type granted struct {
	PolicyID    string   `json:"policy_id"`
	VaultID     string   `json:"vault_id"`
	Principal   string   `json:"principal"`
	Permissions []string `json:"permissions"`
	Pattern     string   `json:"secret_path_pattern"`
}

func grantAccess(ctx context.Context, c *call, in grantArgs) (string, granted, error) {
	p, err := c.api.CreatePolicy(ctx, in.VaultID, api.CreatePolicyRequest{
		SecretPathPattern: in.Pattern, PrincipalType: in.PrincipalType, PrincipalID: in.PrincipalID, Permissions: in.Permissions,
	})
	if err != nil {
		return "", granted{}, err
	}
	out := granted{p.ID, p.VaultID, p.PrincipalType + ":" + p.PrincipalID, p.Permissions, p.SecretPathPattern}
	return fmt.Sprintf("Access granted.\n  Policy ID: %s\n  Vault: %s\n  Granted to: %s\n  Permissions: %s\n  Path pattern: %s",
		out.PolicyID, out.VaultID, out.Principal, strings.Join(out.Permissions, ", "), out.Pattern), out, nil
}

type shareArgs struct {
	SecretID       string `json:"secret_id" jsonschema:"Id of the secret, as list_secrets shows it"`
	RecipientType  string `json:"recipient_type" jsonschema:"With whom; creator is the person who registered this agent"`
	RecipientID    string `json:"recipient_id,omitempty" jsonschema:"Id of the user or agent"`
	ExpiresAt      string `json:"expires_at" jsonschema:"When the share ends, RFC 3339"`
	MaxAccessCount int32  `json:"max_access_count,omitempty" jsonschema:"How many times it opens"`
}

type shared struct {
	ShareID        string `json:"share_id"`
	Recipient      string `json:"recipient"`
	ExpiresAt      string `json:"expires_at"`
	MaxAccessCount *int32 `json:"max_access_count,omitempty"`
	URL            string `json:"url"`
}

func shareSecret(ctx context.Context, c *call, in shareArgs) (string, shared, error) {
	if in.RecipientID == "" && (in.RecipientType == "user" || in.RecipientType == "agent") {
		// Published clients get this as the tool's answer, not as its failure.
		return fmt.Sprintf("Error: recipient_id is required when sharing with a %s.", in.RecipientType), shared{}, nil
	}
	ends, err := instant("expires_at", in.ExpiresAt)
	if err != nil {
		return "", shared{}, err
	}
	s, err := c.api.CreateShare(ctx, in.SecretID, api.CreateShareRequest{
		RecipientType: in.RecipientType, RecipientID: in.RecipientID, ExpiresAt: ends, MaxAccessCount: &in.MaxAccessCount,
	})
	if err != nil {
		return "", shared{}, err
	}
	out := shared{s.ID, in.RecipientType, until(s.ExpiresAt), s.MaxAccessCount, s.ShareURL}
	if in.RecipientID != "" {
		out.Recipient += ":" + in.RecipientID
	}
	most := "unlimited"
	if out.MaxAccessCount != nil {
		most = fmt.Sprint(*out.MaxAccessCount)
	}
	text := fmt.Sprintf("Secret shared successfully.\n  Share ID: %s\n  Recipient: %s\n  Expires: %s\n  Max accesses: %s\n  URL: %s",
		out.ShareID, out.Recipient, out.ExpiresAt, most, out.URL)
	if in.RecipientType != "anyone_with_link" {
		text += "\n\nThe recipient has to accept the share before it opens."
	}
	return text, out, nil
}
