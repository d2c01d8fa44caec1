package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
	"github.com/oneclaw/oneclawd/internal/fault"
)

func newAttest() *cobra.Command {
	cmd := &cobra.Command{Use: "attest", Short: "Prove what machine and image an appliance is"}
	cmd.AddCommand(newAttestVerify(), newAttestMeasure())
	return cmd
}

func newAttestVerify() *cobra.Command {
	var policyFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify URL --policy FILE",
		Short: "Appraise an appliance from afar, before trusting it with anything",
		Long: `Ask an appliance for evidence over a nonce that is drawn now, and appraise it
with a policy of your own. The key of the TLS connection, which is the one that
was attested, is the appliance's identity: no CA is asked. Exit code 0 means
that this connection ends in an image that the policy accepts, on a genuine
chip; anything else means: do not trust it.`,
		Example: "  oneclawd attest verify https://vault.internal:8200 --policy policy.toml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := attest.LoadPolicy(policyFile)
			if err != nil {
				return err
			}
			found, err := attested.Appraise(cmd.Context(), strings.TrimRight(args[0], "/"), policy)
			if f := fault.As(err); f != nil {
				return f // what the policy says, in words for people
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"accepted": true, "product": found.Product, "measurement": hex.EncodeToString(found.Measurement),
					"chip_id": hex.EncodeToString(found.ChipID), "tcb": found.TCB, "launch_tcb": found.LaunchTCB,
					"valid_until": found.ValidUntil,
				})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "accepted\t%s\nproduct\t%s\nmeasurement\t%x\nchip\t%x\nTCB\t%s\nvalid until\t%s\n",
				args[0], found.Product, found.Measurement, found.ChipID, found.TCB, found.ValidUntil.Format(time.DateOnly))
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&policyFile, "policy", "", "appraisal policy, a TOML file; docs/attestation.md explains it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("policy")
	return cmd
}
