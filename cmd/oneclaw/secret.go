package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// place is the vault that a group of commands works in.
type place struct {
	*cli
	vault string
}

// work is cli.work with the id of the vault.
func (p *place) work(do func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error) func(*cobra.Command, []string) error {
	return p.cli.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
		vault, err := p.vaultID(cmd.Context(), remote, p.vault)
		if err != nil {
			return err
		}
		return do(cmd, remote, vault, args)
	})
}

func newSecret(c *cli) *cobra.Command {
	p := &place{cli: c}
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Secrets: read, write, rotate, move in and out",
		Long: `A secret is a value at a path of a vault, with all its earlier versions.

  oneclaw secret set api-keys/stripe              asks for the value
  pass show stripe | oneclaw secret set api-keys/stripe --stdin
  oneclaw secret get api-keys/stripe -q | pbcopy
  oneclaw secret rotate db/password --generate    the appliance makes the value up

Each read is in the audit log.`,
	}
	vaultFlag(cmd, &p.vault)
	return group(cmd, newSecretGet(p), newSecretSet(p), newSecretList(p), newSecretDescribe(p), newSecretDelete(p), newSecretVersions(p), newSecretRotate(p), newSecretImport(p), newSecretExport(p))
}

func newSecretGet(p *place) *cobra.Command {
	var number int
	cmd := &cobra.Command{
		Use:   "get PATH",
		Short: "Read a value",
		Long: `Print the value of a secret and nothing else, with a newline only on a terminal. There
it asks first, since others may see the screen: --yes or --quiet do without.`,
		Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			_, shown := terminal(cmd.OutOrStdout())
			if shown && !p.quiet {
				if err := p.confirm(cmd, "Show the value of "+args[0]+" on this screen?"); err != nil {
					return err
				}
			}
			s, err := p.fetch(cmd.Context(), remote, vault, args[0], number)
			if err != nil {
				return err
			}
			if p.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			if shown {
				s.Value += "\n"
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), s.Value)
			return err
		}),
	}
	cmd.Flags().IntVar(&number, "version", 0, "an earlier version")
	return cmd
}

// fetch reads a value: the current one, or that of a version.
func (p *place) fetch(ctx context.Context, remote *client.Client, vault, path string, number int) (api.SecretResponse, error) {
	read := func() (api.SecretResponse, error) { return remote.GetSecret(ctx, vault, path) }
	if number > 0 {
		read = func() (api.SecretResponse, error) { return remote.GetSecretVersion(ctx, vault, path, number) }
	}
	s, err := read()
	return p.unseal(vault, s, err)
}

func newSecretSet(p *place) *cobra.Command {
	var in input
	var kind, expires string
	var reads int32
	cmd := &cobra.Command{
		Use:   "set PATH",
		Short: "Write a value",
		Long: `Write a new version of a secret; the first one makes it. The value is asked for on a
terminal and not shown, else read from standard input, or from a file.

The type of a new secret is api_key; a later version keeps the type there is.`,
		Args: noValue(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			end, err := parseWhen(expires)
			if err != nil {
				return err
			}
			value, err := in.read(cmd, "Value of "+args[0])
			if err != nil {
				return err
			}
			body := api.PutSecretRequest{Value: value, Type: kind, ExpiresAt: end}
			if reads > 0 {
				body.MaxAccessCount = &reads
			}
			if kind == "" {
				if body.Type, err = newType(cmd.Context(), remote, vault, args[0]); err != nil {
					return err
				}
			}
			return p.put(cmd, remote, vault, args[0], body)
		}),
	}
	in.flags(cmd)
	cmd.Flags().StringVarP(&kind, "type", "t", "", "api_key, password, generic, certificate, private_key, ssh_key, env, env_bundle, file, note or token")
	cmd.Flags().StringVarP(&expires, "expires", "e", "", "when it ends: a date, or how long from now (30d)")
	cmd.Flags().Int32Var(&reads, "max-access-count", 0, "how many times the value can be read")
	return cmd
}

// defaultType is the type of a secret that nobody gave one. Programs that are run
// with secrets get those of this type.
const defaultType = "api_key"

// newType is the default type where there is no secret yet, and else "", which keeps
// what there is.
func newType(ctx context.Context, remote *client.Client, vault, path string) (string, error) {
	there, err := describe(ctx, remote, vault, path)
	if err != nil || there != nil {
		return "", err
	}
	return defaultType, nil
}

// describe finds a secret in the list, which, unlike reading it, counts as no read. It
// is nil if there is none that the caller sees.
func describe(ctx context.Context, remote *client.Client, vault, path string) (*api.SecretMetadataResponse, error) {
	all, err := remote.ListSecrets(ctx, vault, path)
	if err != nil {
		return nil, err
	}
	for _, s := range all.Secrets {
		if s.Path == path {
			return &s, nil
		}
	}
	return nil, nil
}

// put writes a version and says which one it became.
func (p *place) put(cmd *cobra.Command, remote *client.Client, vault, path string, body api.PutSecretRequest) error {
	seal, err := p.sealer(cmd.Context(), remote, vault)
	if err != nil {
		return err
	}
	body.Value = seal(body.Value)
	s, err := remote.PutSecret(cmd.Context(), vault, path, body)
	if err != nil {
		return err
	}
	if p.json {
		return printJSON(cmd.OutOrStdout(), s)
	}
	p.say(cmd, "%s is now version %d.", s.Path, s.Version)
	return nil
}

func newSecretList(p *place) *cobra.Command {
	var prefix string
	cmd := &cobra.Command{
		Use: "list [PREFIX]", Aliases: []string{"ls"}, Short: "List secrets, without values", Args: cobra.MaximumNArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			if len(args) == 1 {
				prefix = args[0]
			}
			all, err := remote.ListSecrets(cmd.Context(), vault, prefix)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, s := range all.Secrets {
				rows = append(rows, []string{s.Path, s.Type, strconv.Itoa(s.Version), when(s.CreatedAt), until(s.ExpiresAt)})
			}
			return p.list(cmd, all.Secrets, []string{"PATH", "TYPE", "VERSION", "WRITTEN", "EXPIRES"}, rows)
		}),
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only what begins with it")
	return cmd
}

func newSecretDescribe(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "describe PATH", Short: "Show what is known of a secret but its value", Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			s, err := describe(cmd.Context(), remote, vault, args[0])
			if err != nil {
				return err
			}
			if s == nil {
				return notFound("you see no secret at " + args[0] + " in this vault\n→ `oneclaw secret list` shows what there is")
			}
			return p.one(cmd, s, [][2]string{
				{"Path", s.Path}, {"ID", s.ID}, {"Type", s.Type}, {"Version", strconv.Itoa(s.Version)},
				{"Written", when(s.CreatedAt)}, {"Expires", until(s.ExpiresAt)}, {"Metadata", metadata(s.Metadata)},
			})
		}),
	}
}

func metadata(o api.Object) string {
	if string(o) == "{}" {
		return ""
	}
	return string(o)
}

func newSecretDelete(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "delete PATH", Aliases: []string{"rm"}, Short: "Delete a secret with all its versions", Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			if err := p.confirm(cmd, "Delete "+args[0]+" with all its versions?"); err != nil {
				return err
			}
			if err := remote.DeleteSecret(cmd.Context(), vault, args[0]); err != nil {
				return err
			}
			p.say(cmd, "Deleted %s.", args[0])
			return nil
		}),
	}
}

func newSecretVersions(p *place) *cobra.Command {
	return &cobra.Command{
		Use: "versions PATH", Short: "List the versions of a secret", Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			all, err := remote.ListSecretVersions(cmd.Context(), vault, args[0])
			if err != nil {
				return err
			}
			var rows [][]string
			for _, v := range all.Versions {
				rows = append(rows, []string{strconv.Itoa(v.Version), v.Type, when(v.CreatedAt), v.CreatedBy, until(v.ExpiresAt), yesNo(v.IsDisabled)})
			}
			return p.list(cmd, all.Versions, []string{"VERSION", "TYPE", "WRITTEN", "BY", "EXPIRES", "DISABLED"}, rows)
		}),
	}
}

func newSecretRotate(p *place) *cobra.Command {
	var in input
	var generate bool
	var length int32
	var charset string
	cmd := &cobra.Command{
		Use:   "rotate PATH",
		Short: "Replace a value by another",
		Long: `Write another value in the place of the one there is: what you give, as with set, or,
with --generate, what the appliance makes up and nobody sees until it is read.`,
		Args: noValue(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			if !generate {
				value, err := in.read(cmd, "New value of "+args[0])
				if err != nil {
					return err
				}
				return p.put(cmd, remote, vault, args[0], api.PutSecretRequest{Value: value})
			}
			body := api.RotateSecretRequest{Charset: charset}
			if length > 0 {
				body.Length = &length
			}
			s, err := remote.RotateSecret(cmd.Context(), vault, args[0], body)
			if err != nil {
				return err
			}
			if p.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			p.say(cmd, "%s is now version %d, with a value that the appliance made up.", s.Path, s.Version)
			return nil
		}),
	}
	in.flags(cmd)
	cmd.Flags().BoolVarP(&generate, "generate", "g", false, "have the appliance make the value up")
	cmd.Flags().Int32VarP(&length, "length", "l", 0, "how long a value that is made up is, in characters")
	cmd.Flags().StringVarP(&charset, "charset", "c", "", "what it is made of: hex, base64, alphanumeric or ascii")
	cmd.MarkFlagsMutuallyExclusive("generate", "stdin", "file")
	return cmd
}
