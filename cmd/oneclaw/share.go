package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newShare(c *cli) *cobra.Command {
	p := &place{cli: c}
	return group(&cobra.Command{
		Use:   "share",
		Short: "Shares: offer a secret to somebody, and take it back",
		Long: `A share lets somebody else read one secret: an agent, somebody with an address, or whoever
has the link, until it ends or has been opened often enough.

  oneclaw share create db/password --to-email ann@example.com --expires 24h --max-access-count 1
  oneclaw share access https://vault.example.com/share/ID`,
	}, newShareCreate(p), newShareList(c), newShareRevoke(c), newShareAccess(c))
}

// recipient is whom a share is for.
type recipient struct {
	email, agent, user string
	link               bool
}

func (r *recipient) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.email, "to-email", "", "address that the link is mailed to")
	f.StringVar(&r.agent, "to-agent", "", "agent, by name or id")
	f.StringVar(&r.user, "to-user", "", "person of the organisation, by e-mail address or id")
	f.BoolVar(&r.link, "link", false, "whoever has the link")
	cmd.MarkFlagsMutuallyExclusive("to-email", "to-agent", "to-user", "link")
	cmd.MarkFlagsOneRequired("to-email", "to-agent", "to-user", "link")
}

// fill says in a request whom it is for.
func (r *recipient) fill(cmd *cobra.Command, c *cli, remote *client.Client, body *api.CreateShareOfRequest) (err error) {
	switch {
	case r.email != "":
		body.RecipientType, body.Email = "external_email", r.email
	case r.agent != "":
		body.RecipientType = "agent"
		body.RecipientID, err = c.agentID(cmd.Context(), remote, r.agent)
	case r.user != "":
		body.RecipientType = "user"
		body.RecipientID, err = c.memberID(cmd.Context(), remote, r.user)
	default:
		body.RecipientType = "anyone_with_link"
	}
	return err
}

func newShareCreate(p *place) *cobra.Command {
	var to recipient
	var expires string
	var passphrase bool
	var count int32
	cmd := &cobra.Command{
		Use:   "create PATH",
		Short: "Offer a secret",
		Long: `Offer the secret at a path to --to-email, --to-agent, --to-user, or whoever has the --link. With
--passphrase it is asked for one, which the other side has to know.`,
		Args: cobra.ExactArgs(1),
		RunE: p.work(func(cmd *cobra.Command, remote *client.Client, vault string, args []string) error {
			body := api.CreateShareOfRequest{VaultID: vault, SecretPath: args[0], MaxAccessCount: given(count > 0, count)}
			if err := to.fill(cmd, p.cli, remote, &body); err != nil {
				return err
			}
			var err error
			if body.ExpiresAt, err = parseWhen(expires); err != nil {
				return err
			}
			if passphrase {
				words, err := (&input{}).read(cmd, "Passphrase of the share")
				if err != nil {
					return err
				}
				body.Passphrase = &words
			}
			made, err := remote.CreateShareOf(cmd.Context(), body)
			if err != nil {
				return err
			}
			return p.one(cmd, made, [][2]string{
				{"Link", made.ShareURL}, {"ID", made.ID}, {"For", or(made.RecipientEmail, made.RecipientType)},
				{"Expires", until(made.ExpiresAt)}, {"Opens", times(made.MaxAccessCount)},
			})
		}),
	}
	vaultFlag(cmd, &p.vault)
	to.add(cmd)
	f := cmd.Flags()
	f.StringVarP(&expires, "expires", "e", "", "when it ends: a date, or how long from now (24h); 7 days when left out")
	f.Int32Var(&count, "max-access-count", 0, "how many times it opens")
	f.BoolVar(&passphrase, "passphrase", false, "ask for a passphrase that opens it")
	return cmd
}

func times(n *int32) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%d times", *n)
}

func newShareList(c *cli) *cobra.Command {
	var inbound bool
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List what you share, or what is shared with you", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			direction := "outbound"
			if inbound {
				direction = "inbound"
			}
			all, err := remote.ListShares(cmd.Context(), direction)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, s := range all.Shares {
				used := fmt.Sprint(s.AccessCount)
				if s.MaxAccessCount != nil {
					used += fmt.Sprintf(" of %d", *s.MaxAccessCount)
				}
				rows = append(rows, []string{s.ID, s.SecretPath, or(s.RecipientEmail, strings.TrimSpace(s.RecipientType+" "+s.RecipientID)), s.Status, used, until(s.ExpiresAt)})
			}
			return c.list(cmd, all.Shares, []string{"ID", "PATH", "FOR", "STATUS", "OPENED", "EXPIRES"}, rows)
		}),
	}
	cmd.Flags().BoolVar(&inbound, "inbound", false, "what others share with you")
	return cmd
}

func newShareRevoke(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Aliases: []string{"rm"}, Short: "Take a share back", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			if err := remote.RevokeShare(cmd.Context(), shareID(args[0])); err != nil {
				return err
			}
			c.say(cmd, "Revoked the share %s.", args[0])
			return nil
		}),
	}
}

func newShareAccess(c *cli) *cobra.Command {
	var passphrase bool
	cmd := &cobra.Command{
		Use:   "access LINK|ID",
		Short: "Read what is shared with you",
		Long: `Print the value that a share offers, which counts as one time that it was opened. It does
without signing in where the share is for whoever has the link. On a terminal it asks
first, as oneclaw secret get does.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			remote, err := c.openFor(args[0])
			if err != nil {
				return err
			}
			_, shown := terminal(cmd.OutOrStdout())
			if shown && !c.quiet {
				if err := c.confirm(cmd, "Show what is shared on this screen?"); err != nil {
					return err
				}
			}
			words := ""
			if passphrase {
				if words, err = (&input{}).read(cmd, "Passphrase of the share"); err != nil {
					return err
				}
			}
			s, err := remote.AccessShareWithPassphrase(cmd.Context(), shareID(args[0]), api.AccessShareRequest{Passphrase: words})
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			if shown {
				s.Value += "\n"
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), s.Value)
			return err
		},
	}
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "ask for the passphrase of the share")
	return cmd
}

// openFor returns a client for a share: whoever is signed in, else nobody. A link to
// another appliance is opened there, and nothing of what is kept for this one is sent:
// links come from anybody.
func (c *cli) openFor(link string) (*client.Client, error) {
	if base, _, ok := strings.Cut(link, "/v1/share/"); ok && base != c.address() {
		c.apiURL = base
		return c.connect(client.Options{})
	}
	remote, err := c.open()
	if unsigned := (notSignedIn("")); errors.As(err, &unsigned) {
		return c.connect(client.Options{})
	}
	return remote, err
}

// shareID is the id of a share, from it or its link.
func shareID(s string) string {
	s, _, _ = strings.Cut(s, "?")
	s, _, _ = strings.Cut(s, "#")
	s = strings.TrimRight(s, "/")
	return s[strings.LastIndexByte(s, '/')+1:]
}
