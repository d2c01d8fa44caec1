package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

// work is what most commands do: they open a client and use it.
func (c *cli) work(do func(cmd *cobra.Command, remote *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		remote, err := c.open()
		if err != nil {
			return err
		}
		return do(cmd, remote, args)
	}
}

func newVault(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Vaults: make, list, choose, delete",
		Long: `Secrets lie in vaults, each under a key of its own in the HSM. A vault is named by its
id or by its name.

  oneclaw vault create production
  oneclaw vault link production      from now on the one that is meant`,
	}
	return group(cmd, newVaultCreate(c), newVaultList(c), newVaultGet(c), newVaultDelete(c), newVaultLink(c), newVaultUnlink(c))
}

func newVaultCreate(c *cli) *cobra.Command {
	var description string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a vault", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			v, err := remote.CreateVault(cmd.Context(), api.CreateVaultRequest{Name: args[0], Description: description})
			if err != nil {
				return err
			}
			return c.showVault(cmd, v)
		}),
	}
	cmd.Flags().StringVarP(&description, "description", "d", "", "what it is for")
	return cmd
}

func newVaultList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the vaults that you reach", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			all, err := remote.ListVaults(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, v := range all.Vaults {
				rows = append(rows, []string{v.ID, v.Name, v.Description, yesNo(v.CMEKEnabled), when(v.CreatedAt)})
			}
			return c.list(cmd, all.Vaults, []string{"ID", "NAME", "DESCRIPTION", "CMEK", "CREATED"}, rows)
		}),
	}
}

func newVaultGet(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "get VAULT", Short: "Show a vault", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			id, err := c.vaultID(cmd.Context(), remote, args[0])
			if err != nil {
				return err
			}
			v, err := remote.GetVault(cmd.Context(), id)
			if err != nil {
				return err
			}
			return c.showVault(cmd, v)
		}),
	}
}

func (c *cli) showVault(cmd *cobra.Command, v api.VaultResponse) error {
	cmek := ""
	if v.CMEKEnabled {
		cmek = v.CMEKFingerprint
	}
	return c.one(cmd, v, [][2]string{
		{"ID", v.ID}, {"Name", v.Name}, {"Description", v.Description}, {"Created", when(v.CreatedAt)},
		{"By", strings.TrimSpace(v.CreatedByType + " " + v.CreatedBy)}, {"CMEK", cmek},
	})
}

func newVaultDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete VAULT", Aliases: []string{"rm"}, Short: "Delete a vault with all that is in it", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			id, err := c.vaultID(cmd.Context(), remote, args[0])
			if err != nil {
				return err
			}
			if err := c.confirm(cmd, "Delete the vault "+args[0]+" with all secrets in it?"); err != nil {
				return err
			}
			if err := remote.DeleteVault(cmd.Context(), id); err != nil {
				return err
			}
			c.say(cmd, "Deleted the vault %s.", args[0])
			return nil
		}),
	}
}

func newVaultLink(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "link VAULT", Short: "Make a vault the one that is meant where none is named", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			id, err := c.vaultID(cmd.Context(), remote, args[0])
			if err != nil {
				return err
			}
			if err := c.config.set(keyVault, id); err != nil {
				return err
			}
			c.say(cmd, "%s is now the vault that is meant where none is named.", args[0])
			return nil
		}),
	}
}

func newVaultUnlink(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "unlink", Short: "Mean no vault where none is named", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.config.set(keyVault, "") },
	}
}
