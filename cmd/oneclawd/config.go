package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newConfig(g *global) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or print the configuration"}
	cmd.AddCommand(newConfigDefaults(), newConfigCheck(g))
	return cmd
}

func newConfigDefaults() *cobra.Command {
	return &cobra.Command{
		Use:     "defaults",
		Example: "  oneclawd config defaults > oneclawd.toml",
		Short:   "Print a configuration file with every setting, explained",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return appliance.WriteDefaults(cmd.OutOrStdout())
		},
	}
}

func newConfigCheck(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check",
		Example: `  oneclawd config check --config oneclawd.toml
  oneclawd config check --config oneclawd.toml --json | jq -r '."api.listen"'`,
		Short: "Say what is wrong with the configuration, or print what is in force",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			warnOfSlips(logger(cfg, cmd.ErrOrStderr()))
			settings := cfg.Settings()
			if asJSON {
				all := map[string]string{}
				for _, s := range settings {
					all[s.Key] = s.Value()
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range settings {
				fmt.Fprintf(w, "%s\t%s\n", s.Key, s.Value())
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
