package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/operator"
)

func newStatus(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask a running daemon how it is",
		Long: `Ask a running daemon how it is. On its own machine, as the user it runs as or
as root, the operator's socket tells more: how far it has come and what the
operator should know. The configuration or --data says where the socket is.`,
		Args: cobra.NoArgs,
	}
	connect := remote(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := connect()
		var all struct {
			API    string                `json:"api"`
			State  *operator.Status      `json:"state,omitempty"` // as the socket says
			Health api.HealthResponse    `json:"health"`
			HSM    api.HSMHealthResponse `json:"hsm"`
		}
		if s, err := g.operatorStatus(cmd.Context()); err == nil && (!cmd.Flags().Changed("api") || c.base == s.API) {
			c.base, all.State = s.API, &s
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
		if !all.HSM.IsHSM && kind != "sealed" {
			kind += " (not an HSM)"
		}
		fmt.Fprintf(w, "daemon\t%s\t%s\nversion\t%s\nkeys\t%s\t%s\n", all.Health.Status, all.API, all.Health.Version, all.HSM.Status, kind)
		notes := all.HSM.Notes
		if s := all.State; s != nil {
			fmt.Fprintf(w, "state\t%s\tfor %s, process %d\n", s.State, time.Since(s.Since).Round(time.Second), s.PID)
			if s.State != operator.Sealed {
				notes = s.Notes
			} else {
				notes = append(notes, s.Notes...)
			}
		}
		for _, note := range notes {
			fmt.Fprintf(w, "note\t%s\n", note)
		}
		return w.Flush()
	}
	return cmd
}

// operatorStatus asks the daemon over its socket, if there is one here.
func (g *global) operatorStatus(ctx context.Context) (operator.Status, error) {
	c, err := g.operate()
	if err != nil {
		return operator.Status{}, err
	}
	return c.Status(ctx)
}
