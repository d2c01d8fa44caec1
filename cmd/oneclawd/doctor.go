package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newExamine(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor",
		Example: `  oneclawd doctor --config oneclawd.toml
  oneclawd doctor --data DIR --json`,
		Short: "Say what is wrong with this appliance, and what to do",
		Long: `Look at the configuration, the data, the keys, the certificate, the machine and
the backups of the appliance here, whether it is running or not, and say in words
what is wrong and what to do. Nothing is changed. Where no daemon runs, the token
is opened once with the PIN that the configuration names.

The exit code is 1 if there is trouble.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.loadUnchecked()
			if err != nil {
				return err
			}
			found := appliance.Examine(cmd.Context(), cfg)
			if asJSON {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(found); err != nil {
					return err
				}
			} else {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, f := range found {
					fmt.Fprintf(w, "%s\t%s\t%s\n", f.Level, f.Area, f.What)
					if f.Do != "" {
						fmt.Fprintf(w, "\t\t→ %s\n", f.Do)
					}
				}
				if err := w.Flush(); err != nil {
					return err
				}
			}
			for _, f := range found {
				if f.Level == appliance.Trouble {
					return errors.New("there is trouble; the lines above say what to do")
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
