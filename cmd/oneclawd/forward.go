package main

import (
	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance"
)

func newForward(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forward",
		Short: "Set clients of the forward proxy up",
		Long: `The forward proxy is for agents that cannot set a base URL: their clients are told
HTTPS_PROXY, and trust its CA.

  oneclawd serve --set forward.listen=127.0.0.1:8203 --set forward.hosts=api.github.com
  oneclawd forward ca > forward-ca.pem
  curl --proxy http://$AGENT_ID:$AGENT_KEY@127.0.0.1:8203 --cacert forward-ca.pem \
    -H 'Authorization: Bearer {{secret:api/github}}' https://api.github.com/user`,
	}
	cmd.AddCommand(newForwardCA(g), newForwardRotateCA(g))
	return cmd
}

func newForwardRotateCA(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-ca",
		Short: "Put another CA in the place of those that the forward proxy has",
		Long: `Have the daemon make a new CA for the forward proxy and forget those that it has,
for when somebody may have had the store and its key. It asks the daemon over the
operator's socket: run it as the user it runs as, or as root.

  oneclawd forward rotate-ca > forward-ca.pem

What is printed is what clients have to trust from now on: give it to all of them, in
the place of what they have. Until then they refuse the proxy. Connections that are
open go on. Whoever has a key of an old CA can go on using it with clients that still
trust it: take the old certificates from them. The audit log has it as forward.ca.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.operate()
			if err != nil {
				return err
			}
			text, err := c.RotateForwardCA(cmd.Context())
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newForwardCA(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "ca",
		Example: "  oneclawd forward ca > forward-ca.pem",
		Short:   "Print the certificates that clients of the forward proxy have to trust",
		Long: `Print the certificates of the forward proxy's CAs, PEM, for clients to trust:

  NODE_EXTRA_CA_CERTS=forward-ca.pem    for Node.js
  SSL_CERT_FILE=forward-ca.pem          for Go, OpenSSL and curl; Python's httpx
  REQUESTS_CA_BUNDLE=forward-ca.pem     for Python's requests

The last two take the place of the system's certificates. The daemon makes a CA when it
first starts with forward.listen, and one more when forward.hosts grows: those of before
go on, and what is printed has them all. GET /ca.pem at the proxy has the same.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.read()
			if err != nil {
				return err
			}
			text, err := appliance.ForwardCA(cfg)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
