package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newOrg(c *cli) *cobra.Command {
	return group(&cobra.Command{Use: "org", Short: "The organisation: its people, and whom to invite"}, newOrgMembers(c), newOrgInvite(c))
}

func newOrgMembers(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "members", Short: "List the people of the organisation", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			all, err := remote.ListOrgMembers(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, m := range all.Members {
				rows = append(rows, []string{m.ID, m.Email, m.DisplayName, m.Role, when(m.CreatedAt)})
			}
			return c.list(cmd, all.Members, []string{"ID", "E-MAIL", "NAME", "ROLE", "SINCE"}, rows)
		}),
	}
}

func newOrgInvite(c *cli) *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use: "invite EMAIL", Short: "Invite somebody by mail", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			got, err := remote.InviteMember(cmd.Context(), api.InviteMemberRequest{Email: args[0], Role: role})
			if err != nil {
				return err
			}
			return c.one(cmd, got, [][2]string{{"E-mail", got.Email}, {"", got.Message}})
		}),
	}
	cmd.Flags().StringVar(&role, "role", "", "owner, admin or member, which is the default")
	return cmd
}

// memberID is the id of the person that is meant.
func (c *cli) memberID(ctx context.Context, remote *client.Client, named string) (string, error) {
	if isID(named) {
		return named, nil
	}
	all, err := remote.ListOrgMembers(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range all.Members {
		if m.Email == named {
			return m.ID, nil
		}
	}
	return "", notFound(fmt.Sprintf("nobody in your organisation has the address %q\n→ `oneclaw org members` lists them", named))
}
