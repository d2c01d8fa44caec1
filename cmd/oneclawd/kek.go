package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance/operator"
)

func newKEK(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kek",
		Short: "Rotate the vaults' keys, move them between HSM modules, and verify them",
		Long: `Each vault has a key in an HSM module, its KEK, which wraps the keys of its
values, the DEKs. These commands ask the daemon over the operator's socket; run
them as the user it runs as, or as root. The daemon goes on serving meanwhile.`,
	}
	cmd.AddCommand(newKEKList(g), newKEKRotate(g), newKEKRewrap(g), newKEKVerify(g), newKEKAssign(g))
	return cmd
}

// moduleName is how the default module is shown.
func moduleName(name string) string {
	if name == "" {
		return "(default)"
	}
	return name
}

func newKEKList(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Example: "  oneclawd kek list --config oneclawd.toml",
		Short:   "List the KEKs of all vaults and how many DEKs are under them",
		Long: `List for each vault which module keeps its KEK, which generation that is, how old,
and how many DEKs are under it. A KEK from before, with DEKs that are still to be
rewrapped, has a line of its own.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			list, err := c.KEKs(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "VAULT\tORGANISATION\tMODULE\tGENERATION\tAGE\tDEKS\tNAME")
			for _, k := range list {
				for _, o := range k.Older {
					fmt.Fprintf(w, "%s\t%s\t%s\t%d, retiring\t%s\t%d\t%q\n", k.Vault, k.Org, moduleName(o.Module), o.Generation, howOld(o.MadeAt), o.DEKs, k.Name)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%q\n", k.Vault, k.Org, moduleName(k.Module), k.Generation, howOld(k.MadeAt), k.DEKs, k.Name)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// howOld is how long ago something was made.
func howOld(made time.Time) string {
	d := time.Since(made)
	if d < 48*time.Hour {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func newKEKRotate(g *global) *cobra.Command {
	var r operator.KEKRotation
	var module string
	var detach bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Give a vault, or all, another KEK, in the same module or in another",
		Long: `Make another KEK for a vault, in the module that keeps the present one or in
another of hsm.modules, and wrap its DEKs anew under it. Values are not opened.
From the first moment everything is written under the new KEK; the one before is
dropped when no DEK is left under it. What is interrupted goes on when the daemon
starts again, or with oneclawd kek rewrap.

--module "" moves vaults to the default module.`,
		Example: "  oneclawd kek rotate --vault 0195a4c2-0000-7000-8000-000000000000\n  oneclawd kek rotate --all --module customer-a",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("module") {
				r.Module = &module
			}
			r.Vault = strings.ToLower(r.Vault) // as the daemon writes it
			done, err := c.RotateKEKs(cmd.Context(), r)
			if err != nil {
				return err
			}
			cmd.Printf("%d vaults have another KEK\n", done.Vaults)
			for _, f := range done.Failed {
				cmd.PrintErrf("vault %s keeps its KEK: %s\n", f.Vault, f.Error)
			}
			if !detach {
				err = awaitRewraps(cmd, c, r.Vault)
			}
			if err == nil && len(done.Failed) > 0 {
				err = fmt.Errorf("%d vaults keep their KEK", len(done.Failed))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Vault, "vault", "", "id of the vault")
	f.BoolVar(&r.All, "all", false, "every vault")
	f.StringVar(&module, "module", "", "the module that is to keep the KEK; without it, the one that does")
	f.BoolVar(&detach, "detach", false, "do not wait until the DEKs are under the new KEK")
	cmd.MarkFlagsOneRequired("vault", "all")
	cmd.MarkFlagsMutuallyExclusive("vault", "all")
	return cmd
}

func newKEKRewrap(g *global) *cobra.Command {
	var detach bool
	cmd := &cobra.Command{
		Use:     "rewrap",
		Example: "  oneclawd kek rewrap --config oneclawd.toml",
		Short:   "Go on with rotations that are unfinished",
		Long: `Wrap under the vaults' KEKs what is still under those before: after a module
was away, or damaged values were restored. The daemon does so by itself when it
starts, and every hour.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			n, err := c.RewrapKEKs(cmd.Context())
			if err != nil {
				return err
			}
			cmd.Printf("%d vaults are unfinished\n", n)
			if n == 0 || detach {
				return nil
			}
			return awaitRewraps(cmd, c, "")
		},
	}
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

// awaitRewraps waits until nothing is under way, in one vault or in all, and
// shows on a terminal how far it is.
func awaitRewraps(cmd *cobra.Command, c *operator.Client, vault string) error {
	out := cmd.ErrOrStderr()
	f, ok := out.(*os.File)
	onTerminal := ok && term.IsTerminal(int(f.Fd()))
	for {
		list, err := c.Rewraps(cmd.Context())
		if err != nil {
			return err
		}
		pending, total, done := 0, 0, 0
		for _, r := range list {
			if vault != "" && r.Vault != vault {
				continue
			}
			total, done = total+r.Total, done+r.Done
			if r.Pending {
				pending++
			}
		}
		if onTerminal {
			fmt.Fprintf(out, "\r%d of %d DEKs, %d vaults to go ", done, total, pending)
		}
		if pending == 0 {
			if onTerminal {
				fmt.Fprintln(out)
			}
			return reportRewraps(cmd.OutOrStdout(), out, list, vault)
		}
		if err := pause(cmd.Context(), 200*time.Millisecond); err != nil {
			return fmt.Errorf("%w: it goes on in the daemon", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func reportRewraps(out, errs io.Writer, list []operator.Rewrap, vault string) error {
	deks, failed := 0, 0
	for _, r := range list {
		if vault != "" && r.Vault != vault {
			continue
		}
		deks += r.Done
		if r.Error != "" {
			failed++
			fmt.Fprintf(errs, "vault %s: %s\n", r.Vault, r.Error)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d vaults still need their KEKs from before; when that is mended: oneclawd kek rewrap", failed)
	}
	fmt.Fprintf(out, "done: %d DEKs are under the present KEKs\n", deks)
	return nil
}

func newKEKVerify(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "verify",
		Example: "  oneclawd kek verify --config oneclawd.toml",
		Short:   "Have every DEK unwrapped, to see that it can be",
		Long: `Have the modules unwrap the DEK of every version of every secret. Values are not
opened: oneclawd drill does that with a sample. What does not unwrap is named, and
the exit code is 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			v, err := c.VerifyKEKs(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(v); err != nil {
					return err
				}
			} else {
				for _, b := range v.Broken {
					cmd.Printf("vault %s, secret %s, version %d: %s\n", b.Vault, b.Secret, b.Version, b.Error)
				}
				cmd.Printf("%d DEKs of %d vaults unwrap; %d are damaged, %d could not be tried\n", v.DEKs, v.Vaults, v.Damaged, v.Unavailable)
			}
			if v.Damaged+v.Unavailable > 0 {
				return errors.New("not every DEK unwraps")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newKEKAssign(g *global) *cobra.Command {
	var org string
	cmd := &cobra.Command{
		Use:   "assign --org ORGANISATION MODULE",
		Short: "Say which module keeps the KEKs of an organisation's new vaults",
		Long: `Say which of hsm.modules keeps the KEKs of the vaults that an organisation makes
from now on; "" is the default module. Vaults that are there stay where they are:
oneclawd kek rotate --vault VAULT --module MODULE moves one.`,
		Example: "  oneclawd kek assign --org 0195a4c2-0000-7000-8000-000000000000 customer-a",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			if err := c.AssignModule(cmd.Context(), org, args[0]); err != nil {
				return err
			}
			cmd.Printf("new vaults of %s have their KEKs in %s\n", org, moduleName(args[0]))
			return nil
		},
	}
	cmd.Flags().StringVar(&org, "org", "", "id of the organisation")
	_ = cmd.MarkFlagRequired("org")
	return cmd
}
