package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func newInit(g *global) *cobra.Command {
	var email, org, passwordFile string
	cmd := &cobra.Command{
		Use: "init --email YOU@EXAMPLE.ORG",
		Example: `  oneclawd init --config oneclawd.toml --email you@example.org
  oneclawd init --config oneclawd.toml --email you@example.org --password-file owner.password`,
		Short: "Make the keys and the first owner",
		Long: `Make what a new appliance needs: the root key in the HSM, the store, the
signing keys, and the first owner, whose API key is printed once.

It may be run again: what is there already is left alone, so a run that was
interrupted can be finished.

The owner's password is read from --password-file, or from standard input if
that is not a terminal, or else made up and printed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			password, made, err := ownerPassword(passwordFile)
			if err != nil {
				return err
			}
			owner := appliance.Owner{Email: email, Password: password, Org: org}
			if owner.PIN, err = initPIN(cmd, cfg); err != nil {
				return err
			}
			defer owner.PIN.Wipe()
			if err := appliance.CheckOwner(owner); err != nil {
				return err
			}
			log := logger(cfg, cmd.ErrOrStderr())
			warnOfSlips(log)
			done, err := appliance.Init(cmd.Context(), cfg, owner, log)
			if err != nil {
				return err
			}
			if !done.OwnerMade {
				cmd.Println("There is an appliance with an owner here already; nothing was changed.")
				return nil
			}
			cmd.Printf("Owner:    %s\n", email)
			if made {
				cmd.Printf("Password: %s\n", password)
			}
			cmd.Printf("API key:  %s\n\nThe key is shown this once. Keep it where only you can read it.\n", done.APIKey)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "e-mail address of the first owner")
	f.StringVar(&org, "org", "Default", "name of the owner's organisation")
	f.StringVar(&passwordFile, "password-file", "", "file whose first line is the owner's password")
	_ = cmd.MarkFlagRequired("email")
	return cmd
}

// initPIN asks for the PIN where the configuration names none and somebody is
// there to be asked.
func initPIN(cmd *cobra.Command, cfg appliance.Config) (plain.Bytes, error) {
	named, err := appliance.NamesPIN(cfg)
	if err != nil || named || !term.IsTerminal(int(os.Stdin.Fd())) {
		return plain.Bytes{}, err
	}
	return readSecret(cmd.ErrOrStderr(), "PIN of the token: ")
}

// ownerPassword finds or makes up a password, and says which.
func ownerPassword(file string) (password string, made bool, err error) {
	in := os.Stdin
	switch info, err := in.Stat(); {
	case file != "":
		if in, err = os.Open(file); err != nil {
			return "", false, fmt.Errorf("reading the password: %w", err)
		}
		defer in.Close()
	case err != nil || info.Mode()&os.ModeCharDevice != 0 || info.Mode()&(os.ModeNamedPipe) == 0 && !info.Mode().IsRegular():
		return appliance.NewPassword(), true, nil
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		if file != "" {
			return "", false, errors.New("the password file is empty")
		}
		return appliance.NewPassword(), true, nil
	}
	_ = err // an unterminated last line is a line
	return line, false, nil
}
