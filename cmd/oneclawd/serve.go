package main

import (
	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newServe(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `Run the daemon until it is told to stop (SIGTERM or SIGINT). It then drains:
requests under way are answered, nothing acknowledged is lost.

Run ` + "`oneclawd init`" + ` once before, with the same configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			return appliance.Run(cmd.Context(), cfg, appliance.Options{
				Version: version, Log: logger(cfg, cmd.ErrOrStderr()),
			})
		},
	}
}
