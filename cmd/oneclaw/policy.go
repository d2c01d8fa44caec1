package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newPolicy(c *cli) *cobra.Command {
	p := &place{cli: c}
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Policies: who may do what in a vault",
		Long: `A policy lets a person or an agent do something with the paths that a pattern matches: *
is one segment of a path, ** any number. What no policy grants is denied.

  oneclaw policy create --agent deployer --path 'prod/**' --permissions read
  oneclaw policy create --agent writer --path 'logs/*' --permissions read,write --expires 30d`,
	}
	vaultFlag(cmd, &p.vault)
	return group(cmd, newPolicyCreate(p), newPolicyList(p), newPolicyDelete(p))
}

func newPolicyCreate(p *place) *cobra.Command {
	var agent, user, kind, id, pattern, expires, conditions string
	var permissions []string
	cmd := &cobra.Command{
		Use: "create", Short: "Grant something", Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			end, err := parseWhen(expires)
			if err != nil {
				return err
			}
			switch {
			case agent != "":
				kind = "agent"
				if id, err = p.agentID(cmd.Context(), remote, agent); err != nil {
					return err
				}
			case user != "":
				kind = "user"
				if id, err = p.memberID(cmd.Context(), remote, user); err != nil {
					return err
				}
			case kind == "" || id == "":
				return usagef("to whom? --agent NAME, --user E-MAIL, or --principal-type and --principal-id")
			}
			made, err := remote.CreatePolicy(cmd.Context(), vault, api.CreatePolicyRequest{
				SecretPathPattern: pattern, PrincipalType: kind, PrincipalID: id, Permissions: permissions,
				Conditions: api.Object(conditions), ExpiresAt: end,
			})
			if err != nil {
				return err
			}
			return p.one(cmd, made, [][2]string{
				{"ID", made.ID}, {"Path", made.SecretPathPattern}, {"Permissions", strings.Join(made.Permissions, ", ")},
				{"To", made.PrincipalType + " " + made.PrincipalID}, {"Conditions", metadata(made.Conditions)}, {"Expires", until(made.ExpiresAt)},
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&agent, "agent", "", "agent to grant it to, by name or id")
	f.StringVar(&user, "user", "", "person to grant it to, by e-mail address or id")
	f.StringVar(&kind, "principal-type", "", "user or agent, with --principal-id")
	f.StringVar(&id, "principal-id", "", "id of a person or an agent")
	f.StringVarP(&pattern, "path", "p", "**", "pattern of paths")
	f.StringSliceVar(&permissions, "permissions", []string{"read"}, "read, write, delete, use")
	f.StringVar(&conditions, "conditions", "", `JSON, such as {"ip_allowlist":["10.0.0.0/8"]}`)
	f.StringVarP(&expires, "expires", "e", "", "when it ends: a date, or how long from now (30d)")
	cmd.MarkFlagsMutuallyExclusive("agent", "user", "principal-id")
	return cmd
}

func newPolicyList(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the policies of a vault", Args: cobra.NoArgs,
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, _ []string) error {
			all, err := remote.ListPolicies(cmd.Context(), vault)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, g := range all.Policies {
				rows = append(rows, []string{g.ID, g.SecretPathPattern, strings.Join(g.Permissions, ","), g.PrincipalType + " " + g.PrincipalID, until(g.ExpiresAt)})
			}
			return p.list(cmd, all.Policies, []string{"ID", "PATH", "PERMISSIONS", "TO", "EXPIRES"}, rows)
		}),
	}
}

func newPolicyDelete(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "delete ID", Aliases: []string{"rm"}, Short: "Take a grant back", Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			if err := p.confirm(cmd, "Take back what the policy "+args[0]+" grants?"); err != nil {
				return err
			}
			if err := remote.DeletePolicy(cmd.Context(), vault, args[0]); err != nil {
				return err
			}
			p.say(cmd, "Deleted the policy %s.", args[0])
			return nil
		}),
	}
}
