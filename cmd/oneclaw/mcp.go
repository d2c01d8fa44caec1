package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/mcp"
)

// defaultProfile is the name that the key of models' clients is kept under.
const defaultProfile = "mcp"

func newMCP(c *cli) *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve MCP to one client over standard input and output",
		Long: `Serve the tools of the appliance to a model's client that starts its servers itself.
Who calls is an agent: its key is that of ONECLAW_AGENT_API_KEY or, if that is not set,
the one that oneclaw mcp install kept, so that no key is in the client's configuration.

  oneclaw mcp install claude-desktop
  ONECLAW_LOCAL_ONLY=true oneclaw mcp      no appliance: only inspect_content

Other variables: ONECLAW_VAULT_ID, ONECLAW_AGENT_ID, ONECLAW_AGENT_TOKEN (instead of a
key, with ONECLAW_VAULT_ID), and of the inspection of calls ONECLAW_MCP_SECURITY_ENABLED,
ONECLAW_MCP_SANITIZATION_MODE (block, surgical or log_only), ONECLAW_MCP_REDACT_SECRETS,
ONECLAW_MCP_PII_DETECTION and ONECLAW_MCP_EXFIL_PROTECTION.

Values of vaults with a key of your own are decrypted with the keys that are kept here
(oneclaw cmek).

Clients that speak HTTP need no such process: the daemon serves them itself. Where there
has to be one, MCP_TRANSPORT=httpStream serves those of this machine at PORT (8080), each
with the credential and the vault that its requests name, and no others.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			serve, err := c.mcpServer(profile)
			if err != nil {
				return err
			}
			return serve.Serve(cmd.Context(), os.Stdin, os.Stdout, cmd.ErrOrStderr())
		},
	}
	cmd.PersistentFlags().StringVar(&profile, "profile", defaultProfile, "name that the agent's key is kept under")
	cmd.AddCommand(newMCPInstall(c, &profile))
	return cmd
}

// mcpServer is the server that the environment, and what is kept, ask for.
func (c *cli) mcpServer(profile string) (mcp.Standalone, error) {
	key := ""
	if !mcp.Local(os.Getenv) && !mcp.OverHTTP(os.Getenv) && os.Getenv(mcp.EnvKey) == "" && os.Getenv(mcp.EnvToken) == "" {
		var err error
		if key, err = c.agentKey(profile); err != nil {
			return mcp.Standalone{}, err
		}
	}
	getenv := func(name string) string {
		switch {
		case name == mcp.EnvBaseURL: // the flag goes before it
			return ""
		case name == mcp.EnvKey && key != "":
			return key
		}
		return os.Getenv(name)
	}
	o, err := c.options(client.Options{UserAgent: "oneclaw-mcp/" + version, FindCMEK: c.loadKeys})
	if err != nil {
		return mcp.Standalone{}, err
	}
	serve, err := mcp.FromEnvironment(getenv, o, version)
	if errors.Is(err, mcp.ErrUsage) {
		return serve, usageError(strings.TrimPrefix(err.Error(), mcp.ErrUsage.Error()+"\n"))
	}
	return serve, err
}

// agentKey is the key of an agent that was kept, or that somebody signed in with.
func (c *cli) agentKey(profile string) (string, error) {
	if key := os.Getenv("ONECLAW_API_KEY"); strings.HasPrefix(key, agentKey) {
		return key, nil
	}
	s, err := c.store()
	if err != nil {
		return "", err
	}
	for _, name := range []string{profileName(c.address(), profile), c.address()} {
		kept, there, err := s.load(name)
		if err != nil {
			return "", err
		}
		if there && strings.HasPrefix(kept.Key, agentKey) {
			return kept.Key, nil
		}
	}
	return "", notSignedIn("no key of an agent is kept for " + c.address() + "\n→ `oneclaw mcp install CLIENT` asks for one; or set ONECLAW_AGENT_API_KEY")
}

// profileName is what the key of a profile is kept under. No address has a space.
func profileName(address, profile string) string { return address + " " + profile }
