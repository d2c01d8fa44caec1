package main

import (
	"os"

	"github.com/spf13/cobra"

	sdk "github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/mcp"
)

func newMCP() *cobra.Command {
	var base, ca string
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve MCP to one client over standard input and output",
		Long: `Serve the tools of the appliance to a model's client, over standard input and
output, for clients that start their servers themselves. Who calls is an agent,
whose key is in the environment:

  ONECLAW_AGENT_API_KEY=ocv_… oneclawd mcp
  ONECLAW_LOCAL_ONLY=true oneclawd mcp      no appliance: only inspect_content

Other variables: ONECLAW_BASE_URL (instead of --api), ONECLAW_VAULT_ID (the vault
to use, if not the agent's first), ONECLAW_AGENT_ID, ONECLAW_AGENT_TOKEN (instead
of a key, with ONECLAW_VAULT_ID), and of the inspection of calls
ONECLAW_MCP_SECURITY_ENABLED, ONECLAW_MCP_SANITIZATION_MODE (block, surgical or
log_only), ONECLAW_MCP_REDACT_SECRETS, ONECLAW_MCP_PII_DETECTION and
ONECLAW_MCP_EXFIL_PROTECTION.

Clients that speak HTTP need no such process: the daemon serves them itself, at
the address of mcp.listen. Where there has to be one, MCP_TRANSPORT=httpStream serves
those of this machine at PORT (8080), each with the credential and the vault that its
requests name, and no others.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := &client{}
			c.trust(ca)
			if c.bad != nil {
				return c.bad
			}
			o := sdk.Options{BaseURL: base, UserAgent: "oneclawd-mcp/" + version}
			if ca != "" {
				o.HTTP = &c.http
			}
			serve, err := mcp.FromEnvironment(os.Getenv, o, version)
			if err != nil {
				return err
			}
			return serve.Serve(cmd.Context(), os.Stdin, os.Stdout, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&base, "api", envOr("ONECLAW_API_URL", "http://127.0.0.1:8200"), "base URL of the daemon (or ONECLAW_BASE_URL)")
	cmd.Flags().StringVar(&ca, "ca", os.Getenv("ONECLAW_CA_FILE"), "file with the CA that the daemon's certificate is of (or ONECLAW_CA_FILE)")
	return cmd
}
