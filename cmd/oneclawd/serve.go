package main

import (
	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newServe(g *global) *cobra.Command {
	var acceptRollback bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `Run the daemon until it is told to stop (SIGTERM or SIGINT). It then drains:
requests under way are answered, nothing acknowledged is lost.

Run ` + "`oneclawd init`" + ` once before, with the same configuration.

The HSM remembers how far the audit log had come. A data folder that is older
is refused: somebody may have put it back. If you restored a backup on purpose,
say --accept-rollback once; the audit log keeps that you did.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			return appliance.Run(cmd.Context(), cfg, appliance.Options{
				Version: version, Log: logger(cfg, cmd.ErrOrStderr()), AcceptRollback: acceptRollback,
			})
		},
	}
	cmd.Flags().BoolVar(&acceptRollback, "accept-rollback", false, "start with a store that is older than the HSM remembers")
	return cmd
}
