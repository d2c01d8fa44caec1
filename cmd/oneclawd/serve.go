package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newServe(g *global) *cobra.Command {
	var acceptRollback, sealed bool
	cmd := &cobra.Command{
		Use: "serve",
		Example: `  oneclawd serve --config oneclawd.toml
  ONECLAW_LOG_FORMAT=json oneclawd serve --config oneclawd.toml --listen 127.0.0.1:8200`,
		Short: "Run the daemon",
		Long: `Run the daemon until it is told to stop (SIGTERM or SIGINT). It then drains:
requests under way are answered, nothing acknowledged is lost.

Run ` + "`oneclawd init`" + ` once before, with the same configuration.

The HSM remembers how far the audit log had come. A data folder that is older
is refused: somebody may have put it back. If you restored a backup on purpose,
say --accept-rollback once; the audit log keeps that you did.

It opens the keys with the PIN that the configuration names. Without one, with
hsm.unseal = "manual" or with --sealed it waits for ` + "`oneclawd unseal`" + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			log := logger(cfg, cmd.ErrOrStderr())
			warnOfSlips(log)
			return serve(cmd, cfg, appliance.Options{
				Version: version, Log: log, AcceptRollback: acceptRollback, Sealed: sealed,
			})
		},
	}
	cmd.Flags().BoolVar(&acceptRollback, "accept-rollback", false, "start with a store that is older than the HSM remembers")
	cmd.Flags().BoolVar(&sealed, "sealed", false, "wait for an operator to unseal, even if the PIN is at hand")
	return cmd
}

// serve runs the daemon; when an operator seals it, in a process of its own
// again.
func serve(cmd *cobra.Command, cfg appliance.Config, o appliance.Options) error {
	err := appliance.Run(cmd.Context(), cfg, o)
	if sealed := (*appliance.SealedError)(nil); errors.As(err, &sealed) {
		return reseal(sealed.Listen)
	}
	return err
}
