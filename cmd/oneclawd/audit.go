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
  oneclawd audit verify --checkpoint old.checkpoint --key verifier.key audit.log

A later export need not repeat the earlier ones:

  oneclawd audit export --after audit.log > audit-2.log
  oneclawd audit verify --key verifier.key audit.log audit-2.log`,
	}
	cmd.AddCommand(newAuditCheckpoint(), newAuditKey(), newAuditExport(), newAuditVerify())
	return cmd
}

func newAuditCheckpoint() *cobra.Command {
	cmd := &cobra.Command{Use: "checkpoint", Example: "  oneclawd audit checkpoint > old.checkpoint", Short: "Print a signed checkpoint of the log as it is now", Args: cobra.NoArgs}
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
	cmd := &cobra.Command{Use: "key", Example: "  oneclawd audit key > verifier.key", Short: "Print the key that verifies checkpoints", Args: cobra.NoArgs}
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
	var after string
	cmd := &cobra.Command{
		Use: "export",
		Example: `  oneclawd audit export > audit.log
  oneclawd audit export --after audit.log > audit-2.log`,
		Short: "Print the log, one event a line, and a checkpoint at the end",
		Long: `Print the log of the appliance: all of it, or with --after what an earlier
export does not have. It takes the API key of an owner of the first organisation.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&after, "after", "", "an earlier export, or a checkpoint: print only what came after it")
	connect := remote(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := exportedTo(after)
		if err != nil {
			return err
		}
		c := connect()
		c.http.Timeout = 0 // a long log takes as long as it takes
		res, err := c.open(cmd.Context(), "GET", fmt.Sprintf("/v1/audit/export?from=%d", from), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(cmd.OutOrStdout(), res.Body)
		return err
	}
	return cmd
}

func exportedTo(name string) (uint64, error) {
	if name == "" {
		return 0, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return audit.ExportedTo(f)
}

// errNotIntact makes verify exit with 1 after it has printed what it found.
var errNotIntact = errors.New("the log is not intact")

func newAuditVerify() *cobra.Command {
	var checkpoint, key, checkpointKey string
	cmd := &cobra.Command{
		Use:     "verify --key KEY [--checkpoint OLD] LOG...",
		Example: "  oneclawd audit verify --key verifier.key --checkpoint old.checkpoint audit.log",
		Short:   "Verify an exported log, without a server",
		Long: `Verify an exported log on any machine: every event against its hash and its
chain, the tree against the signed checkpoint at the end, and all of it
against an older checkpoint that was kept elsewhere. LOG may be - for standard
input. Several are exports that continue each other, the oldest first.
Exits with 1 and names the first bad event if the log is not intact.

An appliance that was recovered onto another HSM signs with another key since: then
--checkpoint-key is the one that was pinned with the older checkpoint. The event
appliance.recover in the log names both.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			verifier, err := keyOrFile(key)
			if err != nil {
				return err
			}
			old := pinned{key: verifier}
			if checkpointKey != "" {
				if old.key, err = keyOrFile(checkpointKey); err != nil {
					return err
				}
			}
			if checkpoint != "" {
				if old.note, err = os.ReadFile(checkpoint); err != nil {
					return err
				}
			}
			return verifyLogs(cmd, args, verifier, old)
		},
	}
	cmd.Flags().StringVar(&checkpoint, "checkpoint", "", "file with an older checkpoint that the log must continue")
	cmd.Flags().StringVar(&key, "key", "", "verifier key (as `oneclawd audit key` prints it), or a file that holds it")
	cmd.Flags().StringVar(&checkpointKey, "checkpoint-key", "", "verifier key of the older checkpoint, if it is another one")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

// pinned is an older checkpoint, nil if there is none, and the key that signed it.
type pinned struct {
	note []byte
	key  string
}

// verifyLogs verifies each export against the checkpoint of the one before it.
func verifyLogs(cmd *cobra.Command, names []string, verifier string, old pinned) error {
	var earlier *audit.Report
	for _, name := range names {
		report, err := verifyLog(cmd.InOrStdin(), name, verifier, old)
		if err != nil {
			return err
		}
		if earlier != nil {
			report.Continue(earlier)
		}
		if len(names) > 1 {
			cmd.Printf("%s: ", name)
		}
		if err := printReport(cmd.OutOrStdout(), report, old.note != nil); err != nil {
			return err
		}
		earlier, old = report, pinned{report.Checkpoint.Note, verifier}
	}
	return nil
}

func verifyLog(in io.Reader, name, verifier string, old pinned) (*audit.Report, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return audit.VerifyExport(in, verifier, old.note, old.key)
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
