package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newTLS(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tls",
		Short: "Look at the certificate of the API",
		Long: `The API is encrypted with a certificate of yours (tls.cert_file and
tls.key_file), or with one of a CA that the appliance makes for itself:

  oneclawd serve --set tls.local_ca=true
  oneclawd tls ca > oneclawd-ca.crt
  oneclawd status --api https://127.0.0.1:8200 --ca oneclawd-ca.crt

Certificates of yours may be replaced while the daemon runs; those of the local
CA are renewed in time. Agents may sign in with a client certificate, which may
be self-signed: register its fingerprint, as ` + "`openssl x509 -noout -fingerprint\n-sha256`" + ` prints it.`,
	}
	cmd.AddCommand(newTLSCA(g), newTLSStatus(g))
	return cmd
}

// read reads the configuration without asking whether a daemon could run with it:
// the keys, say, do not matter here.
func (g *global) read() (appliance.Config, error) {
	overrides, err := g.overrides()
	if err != nil {
		return appliance.Config{}, err
	}
	return appliance.Load(g.config, os.Getenv, overrides)
}

func newTLSCA(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "ca",
		Example: `  oneclawd tls ca > ca.pem
  curl --cacert ca.pem https://127.0.0.1:8200/v1/health`,
		Short: "Print the certificate of the local CA, for clients to trust",
		Long:  "Print the certificate of the local CA, PEM. The daemon makes it when it first starts\nwith tls.local_ca.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.read()
			if err != nil {
				return err
			}
			text, err := appliance.LocalCA(cfg)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newTLSStatus(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Example: "  oneclawd tls status --config oneclawd.toml",
		Short:   "Say whose certificate the API has, for which names, and until when",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.read()
			if err != nil {
				return err
			}
			st, err := appliance.InspectTLS(cfg)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(st)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "file\t%s\nsubject\t%s\nissuer\t%s\nnames\t%s\nvalid\t%s\nSHA-256\t%s\n",
				st.File, st.Subject, st.Issuer, strings.Join(st.Names, ", "), period(st.NotBefore, st.NotAfter), st.Fingerprint)
			if st.CA != nil {
				fmt.Fprintf(w, "local CA\t%s\nvalid\t%s\nSHA-256\t%s\n", st.CA.File, period(st.CA.NotBefore, st.CA.NotAfter), st.CA.Fingerprint)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func period(from, until time.Time) string {
	return fmt.Sprintf("%s to %s", from.UTC().Format(time.DateOnly), until.UTC().Format(time.DateOnly))
}
