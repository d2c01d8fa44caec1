package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/vault/audit"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Prove the audit log",
		Long: `The audit log is a Merkle log whose size and root an HSM-held key signs. Keep
a checkpoint and the verifier key somewhere else; with them and an export,
anybody can show on any machine that nothing was changed, dropped, reordered
or cut off since:

  oneclawd audit checkpoint > old.checkpoint
  oneclawd audit key > verifier.key
  oneclawd audit export > audit.log
  oneclawd audit verify --checkpoint old.checkpoint --key verifier.key audit.log`,
	}
	cmd.AddCommand(newAuditCheckpoint(), newAuditKey(), newAuditExport(), newAuditVerify())
	return cmd
}

func newAuditCheckpoint() *cobra.Command {
	cmd := &cobra.Command{Use: "checkpoint", Short: "Print a signed checkpoint of the log as it is now", Args: cobra.NoArgs}
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var cp api.AuditCheckpointResponse
		if err := connect().call(cmd.Context(), "GET", "/v1/audit/checkpoint", nil, &cp); err != nil {
			return err
		}
		_, err := io.WriteString(cmd.OutOrStdout(), cp.Checkpoint)
		return err
	}
	return cmd
}

func newAuditKey() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Print the key that verifies checkpoints", Args: cobra.NoArgs}
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var cp api.AuditCheckpointResponse
		if err := connect().call(cmd.Context(), "GET", "/v1/audit/checkpoint", nil, &cp); err != nil {
			return err
		}
		cmd.Println(cp.VerifierKey)
		return nil
	}
	return cmd
}

func newAuditExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the whole log, one event a line, and a checkpoint at the end",
		Long:  "Print the whole log of the appliance. It takes the API key of an owner of the first organisation.",
		Args:  cobra.NoArgs,
	}
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := connect()
		c.http.Timeout = 0 // a long log takes as long as it takes
		res, err := c.open(cmd.Context(), "GET", "/v1/audit/export", nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(cmd.OutOrStdout(), res.Body)
		return err
	}
	return cmd
}

// errNotIntact makes verify exit with 1 after it has printed what it found.
var errNotIntact = errors.New("the log is not intact")

func newAuditVerify() *cobra.Command {
	var checkpoint, key, checkpointKey string
	cmd := &cobra.Command{
		Use:   "verify --key KEY [--checkpoint OLD] LOG",
		Short: "Verify an exported log, without a server",
		Long: `Verify an exported log on any machine: every event against its hash and its
chain, the tree against the signed checkpoint at the end, and all of it
against an older checkpoint that was kept elsewhere. LOG may be - for standard
input. Exits with 1 and names the first bad event if the log is not intact.

An appliance that was recovered onto another HSM signs with another key since: then
--checkpoint-key is the one that was pinned with the older checkpoint. The event
appliance.recover in the log names both.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			verifier, err := keyOrFile(key)
			if err != nil {
				return err
			}
			var old []byte
			if checkpoint != "" {
				if old, err = os.ReadFile(checkpoint); err != nil {
					return err
				}
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			oldKey := ""
			if checkpointKey != "" {
				if oldKey, err = keyOrFile(checkpointKey); err != nil {
					return err
				}
			}
			report, err := audit.VerifyExport(in, verifier, old, oldKey)
			if err != nil {
				return err
			}
			return printReport(cmd.OutOrStdout(), report, checkpoint != "")
		},
	}
	cmd.Flags().StringVar(&checkpoint, "checkpoint", "", "file with an older checkpoint that the log must continue")
	cmd.Flags().StringVar(&key, "key", "", "verifier key (as `oneclawd audit key` prints it), or a file that holds it")
	cmd.Flags().StringVar(&checkpointKey, "checkpoint-key", "", "verifier key of the older checkpoint, if it is another one")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

func keyOrFile(key string) (string, error) {
	if strings.Contains(key, "+") {
		return key, nil
	}
	text, err := os.ReadFile(key)
	return strings.TrimSpace(string(text)), err
}

func printReport(w io.Writer, r *audit.Report, old bool) error {
	for _, p := range r.Problems {
		fmt.Fprintf(w, "%-10s  event %d  %s\n", p.Finding, p.Index, p.Text)
	}
	for _, u := range r.Unchecked {
		fmt.Fprintf(w, "unchecked   %s\n", u)
	}
	if !r.OK() {
		return errNotIntact
	}
	fmt.Fprintf(w, "%d events, all intact; signed at size %d on %s\n", r.Verified, r.Checkpoint.Size, r.Checkpoint.Time.Format("2006-01-02 15:04:05 MST"))
	if old {
		fmt.Fprintln(w, "The log continues the older checkpoint.")
	}
	return nil
}
