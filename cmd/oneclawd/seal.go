package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// sealWait is how long `seal` waits for the daemon to say that it is sealed.
const sealWait = 30 * time.Second

// operate connects to the operator's socket of the configured daemon.
func (g *global) operate() (*operator.Client, error) {
	cfg, err := g.loadUnchecked()
	if err != nil {
		return nil, err
	}
	return operator.NewClient(cfg.OperatorSocket()), nil
}

func newUnseal(g *global) *cobra.Command {
	var passphrase, share, code bool
	cmd := &cobra.Command{
		Use:   "unseal",
		Short: "Open the keys of a sealed daemon on this machine",
		Long: `Open the keys of a daemon that started sealed, or was sealed, so that it
serves. Ask as the user it runs as, or as root.

The PIN of the token (or the passphrase of the local module) is asked for, or
read from standard input if that is not a terminal. Without one the daemon uses
what its configuration names, or the sealed PIN that this machine can open. A
wrong PIN is tried once: tokens count them.

If the PIN was sealed (oneclawd seal pin), people open it instead: one with the
passphrase, or as many as were agreed on with their shares, one after the other.`,
		Example: "  oneclawd unseal --config oneclawd.toml\n  oneclawd unseal --share --config oneclawd.toml\n  systemd-creds decrypt pin.cred | oneclawd unseal --config oneclawd.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind, question := operator.PIN, "PIN (empty: as configured): "
			switch {
			case passphrase:
				kind, question = operator.Passphrase, "Passphrase of the sealed PIN: "
			case share:
				kind, question = operator.Share, "Share (OCS1-…): "
			case code:
				kind, question = operator.UpgradeCode, "Code of the upgrade (OCU1-…): "
			}
			return unseal(cmd, g, kind, question)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&passphrase, "passphrase", false, "type the passphrase of the sealed PIN")
	f.BoolVar(&share, "share", false, "type one share of the sealed PIN")
	f.BoolVar(&code, "code", false, "type the code for the first start of an upgraded image")
	cmd.MarkFlagsMutuallyExclusive("passphrase", "share", "code")
	return cmd
}

func unseal(cmd *cobra.Command, g *global, kind operator.Kind, question string) error {
	c, err := g.operate()
	if err != nil {
		return err
	}
	secret, err := readSecret(cmd.ErrOrStderr(), question)
	if err != nil {
		return err
	}
	defer secret.Wipe()
	s, err := c.Unseal(cmd.Context(), operator.Credential{Kind: kind, Secret: secret})
	switch {
	case err != nil:
		return err
	case s.State != operator.Unsealed:
		cmd.Printf("taken; %d more needed\n", s.SharesMissing)
	default:
		cmd.Printf("unsealed; it serves at %s\n", s.API)
	}
	return nil
}

func newSeal(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "seal",
		Example: "  oneclawd seal --config oneclawd.toml",
		Short:   "Make the daemon on this machine let go of all keys, at once",
		Long: `Make the daemon let go of all keys at once. Requests under way get half a
second; the process then replaces itself by one that holds nothing and waits
for ` + "`oneclawd unseal`" + `. Nothing acknowledged is lost.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			if _, err := c.Seal(cmd.Context()); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), sealWait)
			defer cancel()
			for {
				if s, err := c.Status(ctx); err == nil && s.State == operator.Sealed {
					cmd.Println("sealed; `oneclawd unseal` opens the keys again")
					return nil
				}
				select {
				case <-ctx.Done():
					return fmt.Errorf("the daemon was told to seal, but after %v it does not say that it is; look at its log", sealWait)
				case <-time.After(20 * time.Millisecond):
				}
			}
		},
	}
	cmd.AddCommand(newSealPIN(g), newSealSlots(g), newSealUpgrade(g), newSealRemove(g))
	return cmd
}

// readSecret asks for a secret on the terminal, without echo, or reads the first
// line of standard input.
func readSecret(prompt io.Writer, question string) (plain.Bytes, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return firstLine(os.Stdin)
	}
	fmt.Fprint(prompt, question)
	defer fmt.Fprintln(prompt)
	text, err := term.ReadPassword(fd)
	return plain.New(text), err
}

// reseal replaces this process by one that starts sealed, so that no key is
// left in its memory: the kernel gives it a new one. Nor does it find the PIN in
// its environment.
func reseal(listen string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range appliance.SecretVariables {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	args := os.Args
	if !sealedBefore(args) {
		args = append(args[:len(args):len(args)], "--sealed", "--listen", listen)
	}
	return syscall.Exec(filepath.Clean(self), args, os.Environ()) //nolint:gosec // this program, as it was called
}

func sealedBefore(args []string) bool {
	for _, a := range args {
		if a == "--sealed" {
			return true
		}
	}
	return false
}
