package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newAgent(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use:   "agent",
		Short: "Agents: register, limit, give keys to, remove",
		Long: `An agent is a program that uses secrets under policies. It is named by its id or by its
name.

  oneclaw agent create deployer --key-file deployer.key
  oneclaw policy create --agent deployer --path 'prod/**' --permissions read`,
	}, newAgentCreate(c), newAgentList(c), newAgentGet(c), newAgentUpdate(c), newAgentDelete(c), newAgentRotateKey(c), newAgentEnroll(c), newAgentToken(c))
}

// agentID is the id of the agent that is meant. An agent means itself with "me".
func (c *cli) agentID(ctx context.Context, remote *client.Client, named string) (string, error) {
	if isID(named) {
		return named, nil
	}
	if named == "me" {
		self, err := remote.GetAgentSelf(ctx)
		return self.ID, err
	}
	all, err := remote.ListAgents(ctx)
	if err != nil {
		return "", err
	}
	var ids, gone []string // those that were removed keep their names
	for _, a := range all.Agents {
		switch {
		case a.Name == named && a.IsActive:
			ids = append(ids, a.ID)
		case a.Name == named:
			gone = append(gone, a.ID)
		}
	}
	if len(ids) == 0 {
		ids = gone
	}
	switch len(ids) {
	case 0:
		return "", notFound(fmt.Sprintf("you see no agent named %q\n→ `oneclaw agent list` shows them", named))
	case 1:
		return ids[0], nil
	}
	return "", usagef("%d agents are named %q: say the id of one (oneclaw agent list)", len(ids), named)
}

// agentFlags are what is asked of an agent, for create and update.
type agentFlags struct {
	description, expires string
	vaults, chains, to   []string
	ttl                  int32
	shroud, intents      bool
	maxValue, daily      string
}

func (a *agentFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&a.description, "description", "d", "", "what it is for")
	f.StringVarP(&a.expires, "expires", "e", "", "when it ends: a date, or how long from now (30d)")
	f.StringSliceVar(&a.vaults, "vault-ids", nil, "vaults that it is bound to, by id")
	f.Int32Var(&a.ttl, "token-ttl", 0, "how long its tokens are good, in seconds")
	f.BoolVar(&a.shroud, "shroud", false, "may it call models through Shroud")
	f.BoolVar(&a.intents, "intents-api", false, "may it send transactions")
	f.StringSliceVar(&a.to, "tx-to-allowlist", nil, "addresses that it may send to")
	f.StringVar(&a.maxValue, "tx-max-value", "", "most that one transaction may carry, in the chain's coin")
	f.StringVar(&a.daily, "tx-daily-limit", "", "most that 24 hours may carry, in the chain's coin")
	f.StringSliceVar(&a.chains, "tx-allowed-chains", nil, "chains that it may use")
}

func newAgentCreate(c *cli) *cobra.Command {
	var flags agentFlags
	var keyFile, method, cert, issuer, clientID string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Register an agent",
		Long: `Register an agent. Its key is shown this once, and in no answer after: --key-file puts it
into a file that only you can read instead. With --quiet the key alone is printed, or the
id where the key goes to a file.`,
		Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			end, err := parseWhen(flags.expires)
			if err != nil {
				return err
			}
			body := api.CreateAgentRequest{
				Name: args[0], Description: flags.description, ExpiresAt: end, VaultIDs: flags.vaults, AuthMethod: method,
				TxToAllowlist: flags.to, TxAllowedChains: flags.chains,
				ClientCertFingerprint: cert, OIDCIssuer: issuer, OIDCClientID: clientID,
			}
			set := cmd.Flags().Changed
			body.ShroudEnabled, body.IntentsAPIEnabled = given(set("shroud"), flags.shroud), given(set("intents-api"), flags.intents)
			body.TxMaxValueETH, body.TxDailyLimitETH = given(set("tx-max-value"), flags.maxValue), given(set("tx-daily-limit"), flags.daily)
			body.TokenTTLSeconds = given(set("token-ttl"), flags.ttl)
			made, err := remote.CreateAgent(cmd.Context(), body)
			if err != nil {
				return err
			}
			return c.showKey(cmd, keyFile, made.APIKey, made, made.Agent)
		}),
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&keyFile, "key-file", "", "file to put the key into (mode 0600)")
	cmd.Flags().StringVar(&method, "auth-method", "", "api_key, mtls or oidc_client_credentials")
	cmd.Flags().StringVar(&cert, "client-cert-fingerprint", "", "SHA-256 of its certificate, for mtls")
	cmd.Flags().StringVar(&issuer, "oidc-issuer", "", "issuer of its tokens, for oidc_client_credentials")
	cmd.Flags().StringVar(&clientID, "oidc-client-id", "", "client that its tokens are for")
	return cmd
}

// given is a value that was given, nil for one that was not.
func given[T any](was bool, v T) *T {
	if !was {
		return nil
	}
	return &v
}

// showKey shows an agent's new key, the only time there is, or puts it into a file.
func (c *cli) showKey(cmd *cobra.Command, file, key string, v any, a api.AgentResponse) error {
	if file != "" && key != "" {
		if err := deliver(cmd, file, func(w io.Writer) error { _, err := fmt.Fprintln(w, key); return err }); err != nil {
			return fmt.Errorf("the key could not be written, and is lost: `oneclaw agent rotate-key %s` makes another: %w", a.ID, err)
		}
		c.say(cmd, "The key is in %s.", file)
		return c.showAgent(cmd, a)
	}
	if c.json || key == "" {
		return c.one(cmd, v, agentPairs(a))
	}
	if c.quiet {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), key)
		return err
	}
	if err := c.one(cmd, v, append(agentPairs(a), [2]string{"Key", key})); err != nil {
		return err
	}
	c.say(cmd, "The key is shown this once: keep it now.")
	return nil
}

func agentPairs(a api.AgentResponse) [][2]string {
	return [][2]string{
		{"ID", a.ID}, {"Name", a.Name}, {"Description", a.Description}, {"Signs in with", a.AuthMethod}, {"Active", yesNo(a.IsActive)},
		{"Vaults", strings.Join(a.VaultIDs, ", ")}, {"Scopes", strings.Join(a.Scopes, ", ")},
		{"Transactions", yesNo(a.IntentsAPIEnabled)}, {"  to", strings.Join(a.TxToAllowlist, ", ")},
		{"  at most", a.TxMaxValueETH}, {"  in 24 hours", a.TxDailyLimitETH}, {"  on", strings.Join(a.TxAllowedChains, ", ")},
		{"Shroud", yesNo(a.ShroudEnabled)}, {"SSH key", a.SSHPublicKey},
		{"Created", when(a.CreatedAt)}, {"Expires", until(a.ExpiresAt)}, {"Last seen", when(a.LastActiveAt)},
	}
}

func (c *cli) showAgent(cmd *cobra.Command, a api.AgentResponse) error {
	return c.one(cmd, a, agentPairs(a))
}

func newAgentList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the agents of the organisation", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			all, err := remote.ListAgents(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, a := range all.Agents {
				rows = append(rows, []string{a.ID, a.Name, yesNo(a.IsActive), a.AuthMethod, when(a.LastActiveAt), until(a.ExpiresAt)})
			}
			return c.list(cmd, all.Agents, []string{"ID", "NAME", "ACTIVE", "SIGNS IN WITH", "LAST SEEN", "EXPIRES"}, rows)
		}),
	}
}

// withAgent is work on the agent that the first argument names.
func (c *cli) withAgent(do func(cmd *cobra.Command, remote *client.Client, agent string, args []string) error) func(*cobra.Command, []string) error {
	return c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
		agent, err := c.agentID(cmd.Context(), remote, args[0])
		if err != nil {
			return err
		}
		return do(cmd, remote, agent, args)
	})
}

func newAgentGet(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "get AGENT", Short: "Show an agent", Args: cobra.ExactArgs(1),
		RunE: c.withAgent(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			a, err := remote.GetAgent(cmd.Context(), agent)
			if err != nil {
				return err
			}
			return c.showAgent(cmd, a)
		}),
	}
}

func newAgentUpdate(c *cli) *cobra.Command {
	var flags agentFlags
	var name string
	var active bool
	cmd := &cobra.Command{
		Use:   "update AGENT",
		Short: "Change an agent; what no flag names stays",
		Long: `Change an agent. What no flag names stays as it is; an empty value lifts a limit:

  oneclaw agent update deployer --active=false
  oneclaw agent update trader --tx-max-value 0.1 --tx-allowed-chains sepolia,base
  oneclaw agent update trader --tx-daily-limit ''`,
		Args: cobra.ExactArgs(1),
		RunE: c.withAgent(func(cmd *cobra.Command, remote *client.Client, agent string, _ []string) error {
			body, err := flags.changes(cmd)
			if err != nil {
				return err
			}
			set := cmd.Flags().Changed
			body.Name, body.IsActive = given(set("name"), name), given(set("active"), active)
			a, err := remote.UpdateAgent(cmd.Context(), agent, body)
			if err != nil {
				return err
			}
			return c.showAgent(cmd, a)
		}),
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&name, "name", "", "another name")
	cmd.Flags().BoolVar(&active, "active", true, "may it do anything at all")
	return cmd
}

// changes are the flags that were given, as a request.
func (a *agentFlags) changes(cmd *cobra.Command) (api.UpdateAgentRequest, error) {
	set := cmd.Flags().Changed
	body := api.UpdateAgentRequest{
		Description: given(set("description"), a.description), ShroudEnabled: given(set("shroud"), a.shroud),
		IntentsAPIEnabled: given(set("intents-api"), a.intents),
		TxMaxValueETH:     orNull(set("tx-max-value"), a.maxValue), TxDailyLimitETH: orNull(set("tx-daily-limit"), a.daily),
		TokenTTLSeconds: orNull(set("token-ttl"), a.ttl),
	}
	for flag, list := range map[string]struct{ to, from *[]string }{
		"vault-ids": {&body.VaultIDs, &a.vaults}, "tx-to-allowlist": {&body.TxToAllowlist, &a.to}, "tx-allowed-chains": {&body.TxAllowedChains, &a.chains},
	} {
		if set(flag) {
			*list.to = append([]string{}, *list.from...)
		}
	}
	end, err := parseWhen(a.expires)
	if set("expires") {
		body.ExpiresAt = orNull(true, end)
	}
	return body, err
}

// orNull is a field that was given; its zero value clears it.
func orNull[T comparable](was bool, v T) api.Optional[T] {
	var none T
	switch {
	case !was:
		return api.Optional[T]{}
	case v == none:
		return api.Null[T]()
	}
	return api.Some(v)
}

func newAgentDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete AGENT", Aliases: []string{"rm"}, Short: "Remove an agent; its keys and tokens end at once", Args: cobra.ExactArgs(1),
		RunE: c.withAgent(func(cmd *cobra.Command, remote *client.Client, agent string, args []string) error {
			if err := c.confirm(cmd, "Remove the agent "+args[0]+"?"); err != nil {
				return err
			}
			if err := remote.DeleteAgent(cmd.Context(), agent); err != nil {
				return err
			}
			c.say(cmd, "Removed the agent %s.", args[0])
			return nil
		}),
	}
}

func newAgentRotateKey(c *cli) *cobra.Command {
	var keyFile string
	cmd := &cobra.Command{
		Use: "rotate-key AGENT", Short: "Give an agent another key; the one before ends at once", Args: cobra.ExactArgs(1),
		RunE: c.withAgent(func(cmd *cobra.Command, remote *client.Client, agent string, args []string) error {
			if err := c.confirm(cmd, "Make another key for "+args[0]+"? The one it has stops working."); err != nil {
				return err
			}
			a, err := remote.GetAgent(cmd.Context(), agent)
			if err != nil {
				return err
			}
			made, err := remote.RotateAgentKey(cmd.Context(), agent)
			if err != nil {
				return err
			}
			return c.showKey(cmd, keyFile, made.APIKey, made, a)
		}),
	}
	cmd.Flags().StringVar(&keyFile, "key-file", "", "file to put the key into (mode 0600)")
	return cmd
}

func newAgentEnroll(c *cli) *cobra.Command {
	var email, description string
	cmd := &cobra.Command{
		Use: "enroll NAME", Short: "Ask to be registered: whoever you name gets the key by mail", Args: cobra.ExactArgs(1),
		Long: `Register an agent without signing in. Whoever has the address that you name gets its key
by mail, and decides by handing it on.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			anybody, err := c.connect(client.Options{})
			if err != nil {
				return err
			}
			asked, err := anybody.EnrollAgent(cmd.Context(), api.EnrollAgentRequest{Name: args[0], HumanEmail: email, Description: description})
			if err != nil {
				return err
			}
			return c.one(cmd, asked, [][2]string{{"ID", asked.AgentID}, {"", asked.Message}})
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "address of whoever the agent works for")
	cmd.Flags().StringVarP(&description, "description", "d", "", "what it is for")
	_ = cmd.MarkFlagRequired("email") // it fails for a flag that is not there
	return cmd
}

func newAgentToken(c *cli) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Exchange an agent's key for a short-lived token",
		Long: `Exchange the key of an agent for a token, for programs that can do no such thing. The key
comes from ONECLAW_AGENT_API_KEY or ONECLAW_API_KEY, a file, standard input or a prompt.

  ONECLAW_TOKEN="$(oneclaw agent token --file agent.key -q)" ./program`,
		Args: noValue(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			key := ""
			if !in.stdin && in.file == "" {
				key = or(os.Getenv("ONECLAW_AGENT_API_KEY"), os.Getenv("ONECLAW_API_KEY"))
			}
			var err error
			if key == "" {
				if key, err = in.read(cmd, "Key of the agent"); err != nil {
					return err
				}
			}
			key = strings.TrimSpace(key)
			anybody, err := c.connect(client.Options{})
			if err != nil {
				return err
			}
			got, err := anybody.AgentToken(cmd.Context(), api.AgentTokenRequest{APIKey: &key, AgentID: os.Getenv("ONECLAW_AGENT_ID")})
			if err != nil {
				return err
			}
			return c.one(cmd, got, [][2]string{{"Token", got.AccessToken}, {"Good for", fmt.Sprintf("%d s", got.ExpiresIn)}, {"Agent", got.AgentID}})
		},
	}
	in.flags(cmd)
	return cmd
}
