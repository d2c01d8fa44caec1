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
	cmd := &cobra.Command{Use: "hsm", Short: "Examine the HSM"}
	cmd.AddCommand(newDoctor(g))
	return cmd
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
