package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/operator"
)

func newStatus(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status",
		Example: `  oneclawd status
  oneclawd status --data DIR --json`,
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
		var all report
		s, err := g.operatorStatus(cmd.Context())
		if err == nil && (!cmd.Flags().Changed("api") || c.base == s.API) {
			all.fill(s)
		} else if err := all.ask(cmd.Context(), c); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(all)
		}
		return all.print(cmd.OutOrStdout())
	}
	return cmd
}

// report is what `status` has found out.
type report struct {
	API    string                `json:"api"`
	State  *operator.Status      `json:"state,omitempty"` // as the socket says
	Health api.HealthResponse    `json:"health"`
	HSM    api.HSMHealthResponse `json:"hsm"`
}

// fill takes what the socket says, which is all there is to know.
func (r *report) fill(s operator.Status) {
	r.API, r.State = s.API, &s
	r.Health = api.HealthResponse{Status: api.Degraded, Version: s.Version}
	if s.State == operator.Unsealed && s.Keys == api.HSMOK {
		r.Health.Status = api.Healthy
	}
	r.HSM = api.HSMHealthResponse{Status: s.Keys, Module: s.Module, IsHSM: s.IsHSM, Notes: s.Notes}
}

// ask asks the API, as anybody can.
func (r *report) ask(ctx context.Context, c *client) error {
	r.API = c.base
	if err := c.call(ctx, "GET", "/v1/health", nil, &r.Health); err != nil {
		return err
	}
	return c.call(ctx, "GET", "/v1/health/hsm", nil, &r.HSM)
}

func (r *report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	kind := r.HSM.Module
	if !r.HSM.IsHSM && kind != "sealed" {
		kind += " (not an HSM)"
	}
	fmt.Fprintf(w, "daemon\t%s\t%s\nversion\t%s\nkeys\t%s\t%s\n", r.Health.Status, r.API, r.Health.Version, r.HSM.Status, kind)
	if s := r.State; s != nil {
		for _, m := range s.Modules {
			fmt.Fprintf(w, "module %s\t%s\t%s\n", m.Name, m.Status, strings.TrimSpace(m.Token+" "+m.Error))
		}
		fmt.Fprintf(w, "state\t%s\tfor %s, process %d\n", s.State, time.Since(s.Since).Round(time.Second), s.PID)
		if s.Measurement != "" {
			fmt.Fprintf(w, "image\t%s\n", s.Measurement)
		}
		if s.State == operator.Unsealed {
			fmt.Fprintf(w, "backup\t%s\tproven restore: %s\n", ago(s.LastBackup), ago(s.ProvenRestore))
			printRecovery(w, s.Recovery)
		}
		if s.SharesMissing > 0 {
			fmt.Fprintf(w, "shares\t%d more needed\n", s.SharesMissing)
		}
	}
	for _, note := range r.HSM.Notes {
		fmt.Fprintf(w, "note\t%s\n", note)
	}
	return w.Flush()
}

// printRecovery says what there would be if the HSM were gone.
func printRecovery(w io.Writer, r *operator.Recovery) {
	switch {
	case r == nil: // a daemon from before there was one
	case r.Key == "" && r.LastBackup != nil:
		fmt.Fprintf(w, "recovery\tno key\tlast backup with key %s: %s\n", r.LastKey, ago(r.LastBackup))
	case r.Key == "":
		fmt.Fprintf(w, "recovery\tno key\tbackups open with the HSM alone\n")
	case r.Key != r.LastKey:
		fmt.Fprintf(w, "recovery\tkey %s\tlast backup with it: never\n", r.Key)
	default:
		fmt.Fprintf(w, "recovery\tkey %s\tlast backup with it: %s\n", r.Key, ago(r.LastBackup))
	}
}

func ago(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format(time.DateTime) + ", " + time.Since(*t).Round(time.Second).String() + " ago"
}

// operatorStatus asks the daemon over its socket, if there is one here.
func (g *global) operatorStatus(ctx context.Context) (operator.Status, error) {
	c, err := g.operate()
	if err != nil {
		return operator.Status{}, err
	}
	return c.Status(ctx)
}
