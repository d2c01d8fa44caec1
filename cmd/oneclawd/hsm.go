package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/pkcs11"
)

func newHSM(g *global) *cobra.Command {
	cmd := &cobra.Command{Use: "hsm", Short: "Examine and set up HSMs"}
	cmd.AddCommand(newDoctor(g), newInitModule(g))
	return cmd
}

func newInitModule(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "init MODULE",
		Short: "Make the root key of a module of hsm.modules",
		Long: `Make the root key in the token of a module that hsm.modules names, so that
vaults can have their keys in it. A token that has one is left alone. It can run
beside a daemon, which finds the key by itself.`,
		Example: "  oneclawd hsm init customer-a --config oneclawd.toml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			about, err := appliance.InitModule(cmd.Context(), cfg, args[0], logger(cfg, cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			cmd.Printf("the module %s has its root key: token %s, KEKs are wrapped by %s\n", args[0], about.Token, about.Wrapping)
			return nil
		},
	}
}

func newDoctor(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what the configured token can do, and which PKCS#11 call fails",
		Long: `List the slots and mechanisms of the configured PKCS#11 library, log in to the
token, and make and use a temporary key for each thing oneclawd needs. Nothing
in the token is changed. It needs hsm.library (or hsm.uri), hsm.token and the
PIN; it can run beside a daemon.`,
		Example: "  oneclawd hsm doctor --set hsm.library=/usr/lib/softhsm/libsofthsm2.so --set hsm.token=oneclawd",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.loadUnchecked() // it may be the first thing that is configured
			if err != nil {
				return err
			}
			if err := cfg.CheckHSM(); err != nil {
				return err
			}
			if cfg.HSM.Module == "local" {
				return appliance.ErrConfig.Detail("hsm.module is local: there is no token to examine")
			}
			t, err := appliance.Token(cfg)
			if err != nil {
				return err
			}
			defer t.PIN.Wipe()
			return pkcs11.Doctor(cmd.Context(), pkcs11.Config(t), cmd.OutOrStdout())
		},
	}
}

// newBroker is the process that loads the PKCS#11 library. Signals from the
// terminal reach it too; it ignores them, since the daemon needs its keys
// until it has drained, and ends with the daemon.
func newBroker() *cobra.Command {
	return &cobra.Command{
		Use:    appliance.BrokerCommand,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
			return broker.RunChild(context.Background(), func(t broker.Token) (hsm.Module, error) {
				return pkcs11.Open(pkcs11.Config(t))
			})
		},
	}
}
