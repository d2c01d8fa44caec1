package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
)

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask a running daemon how it is",
		Args:  cobra.NoArgs,
	}
	connect := remote(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := connect()
		var all struct {
			API    string                `json:"api"`
			Health api.HealthResponse    `json:"health"`
			HSM    api.HSMHealthResponse `json:"hsm"`
		}
		all.API = c.base
		if err := c.call(cmd.Context(), "GET", "/v1/health", nil, &all.Health); err != nil {
			return err
		}
		if err := c.call(cmd.Context(), "GET", "/v1/health/hsm", nil, &all.HSM); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		kind := all.HSM.Module
		if !all.HSM.IsHSM {
			kind += " (not an HSM)"
		}
		fmt.Fprintf(w, "daemon\t%s\t%s\nversion\t%s\nkeys\t%s\t%s\n", all.Health.Status, all.API, all.Health.Version, all.HSM.Status, kind)
		for _, note := range all.HSM.Notes {
			fmt.Fprintf(w, "note\t%s\n", note)
		}
		return w.Flush()
	}
	return cmd
}
