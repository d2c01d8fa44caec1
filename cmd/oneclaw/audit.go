package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newAudit(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use:   "audit",
		Short: "The audit log: look, follow, verify",
		Long: `Everything that happened to your organisation's secrets, refusals too.

  oneclaw audit list --action secret.read --since 24h
  oneclaw audit tail
  oneclaw audit verify

Proofs that need no trust in the appliance are oneclawd's: oneclawd audit --help.`,
	}, newAuditList(c), newAuditTail(c), newAuditVerify(c))
}

// auditFilter is which events are meant.
type auditFilter struct{ action, actor, resource string }

func (a *auditFilter) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.action, "action", "", "only events of this name, such as secret.read")
	cmd.Flags().StringVar(&a.actor, "actor", "", "only what this person or agent did, by id")
	cmd.Flags().StringVar(&a.resource, "resource", "", "only what was done to it: an id, or a secret's path")
}

func (a *auditFilter) query() client.AuditQuery {
	return client.AuditQuery{Action: a.action, ActorID: a.actor, ResourceID: a.resource}
}

var auditHead = []string{"WHEN", "ACTION", "OUTCOME", "WHO", "WHAT", "FROM"}

func auditRow(e api.AuditEvent) []string {
	return []string{
		e.CreatedAt.Local().Format(time.DateTime), e.Action, strings.TrimSpace(e.Outcome + " " + e.Reason),
		strings.TrimSpace(e.ActorType + " " + e.ActorID), strings.TrimSpace(e.ResourceType + " " + e.ResourceID), e.IPAddress,
	}
}

func newAuditList(c *cli) *cobra.Command {
	var filter auditFilter
	var limit int
	var since string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List events, newest first", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			q := filter.query()
			q.Limit = min(limit, 1000)
			if since != "" {
				ago, err := time.ParseDuration(since)
				if err != nil || ago <= 0 {
					return usagef("--since is how long ago: 30m, 24h")
				}
				q.From = time.Now().Add(-ago)
			}
			events := []api.AuditEvent{}
			var rows [][]string
			for e, err := range remote.AuditEvents(cmd.Context(), q) {
				if err != nil {
					return err
				}
				if len(events) == limit {
					break
				}
				events, rows = append(events, e), append(rows, auditRow(e))
			}
			return c.list(cmd, events, auditHead, rows)
		}),
	}
	filter.add(cmd)
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many")
	cmd.Flags().StringVar(&since, "since", "", "how long ago at most: 30m, 24h")
	return cmd
}

func newAuditTail(c *cli) *cobra.Command {
	var filter auditFilter
	var last int
	var every time.Duration
	cmd := &cobra.Command{
		Use: "tail", Short: "Print the last events, and new ones as they come", Args: cobra.NoArgs,
		Long: `Print the last events, oldest first, and then those that come, until it is interrupted;
with --json one a line.`,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			seen, begun := uint64(0), false
			for {
				fresh, err := eventsSince(cmd.Context(), remote, filter.query(), seen, begun, last)
				if err != nil {
					return err
				}
				for _, e := range fresh {
					if err := c.printEvent(cmd, e); err != nil {
						return err
					}
					seen, begun = e.Index, true
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(max(every, 100*time.Millisecond)):
				}
			}
		}),
	}
	filter.add(cmd)
	cmd.Flags().IntVarP(&last, "last", "n", 10, "how many of those before to begin with")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "how often to ask")
	return cmd
}

// eventsSince returns the events after one, or without one the last few, oldest first.
func eventsSince(ctx context.Context, remote *client.Client, q client.AuditQuery, seen uint64, begun bool, last int) ([]api.AuditEvent, error) {
	q.Limit = 100
	var fresh []api.AuditEvent
	for e, err := range remote.AuditEvents(ctx, q) {
		if err != nil {
			return nil, err
		}
		if begun && e.Index <= seen || !begun && len(fresh) >= last {
			break
		}
		fresh = append(fresh, e)
	}
	slices.Reverse(fresh)
	return fresh, nil
}

func (c *cli) printEvent(cmd *cobra.Command, e api.AuditEvent) error {
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
	}
	row := auditRow(e)
	for i := range row {
		row[i] = strings.ReplaceAll(printable(row[i]), "\n", `\n`)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(row, "  "))
	return err
}

// errNotIntact makes verify fail after it has printed what it found.
var errNotIntact = errors.New("the log is not intact")

func newAuditVerify(c *cli) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Have the appliance verify its log",
		Long: `Have the appliance recompute its log and compare it with what the HSM signed, and with an
older checkpoint that you kept, if you name its file. The exit code is 1 if something is
wrong. This believes the appliance; oneclawd audit verify does not.`,
		Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			v := client.AuditVerification{}
			if file != "" {
				var err error
				if v.Checkpoint, err = os.ReadFile(file); err != nil {
					return err
				}
			}
			found, err := remote.VerifyAudit(cmd.Context(), v)
			if err != nil {
				return err
			}
			pairs := [][2]string{{"Chain", map[bool]string{true: "valid", false: "BROKEN"}[found.ChainValid]}, {"Events", fmt.Sprint(found.EventsVerified)}}
			for _, p := range found.Problems {
				pairs = append(pairs, [2]string{"Problem", fmt.Sprintf("%s at event %d: %s", p.Finding, p.Index, p.Detail)})
			}
			for _, u := range found.Unchecked {
				pairs = append(pairs, [2]string{"Not checked", u})
			}
			if err := c.one(cmd, found, pairs); err != nil {
				return err
			}
			if !found.ChainValid || len(found.Problems) > 0 {
				return errNotIntact
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&file, "checkpoint", "", "file with an older checkpoint that the log must continue")
	return cmd
}
