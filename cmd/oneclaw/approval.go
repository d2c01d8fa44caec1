package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/client"
)

func newApproval(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use:   "approval",
		Short: "Approvals: what agents wait for people to agree to",
	}, newApprovalList(c), newApprovalGet(c), newApprovalApprove(c), newApprovalDeny(c))
}

func newApprovalList(c *cli) *cobra.Command {
	var status string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List what was asked for, newest first", Args: cobra.NoArgs,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, _ []string) error {
			all, err := remote.ListApprovals(cmd.Context(), client.ApprovalQuery{Status: status})
			if err != nil {
				return err
			}
			var rows [][]string
			for _, a := range all.Approvals {
				rows = append(rows, []string{a.ID, a.Status, a.Action, summary(a.Summary), fmt.Sprintf("%d of %d", len(a.ApprovedBy), a.Needed), until(a.ExpiresAt)})
			}
			return c.list(cmd, all.Approvals, []string{"ID", "STATUS", "ACTION", "WHAT", "AGREED", "EXPIRES"}, rows)
		}),
	}
	cmd.Flags().StringVar(&status, "status", "pending", "pending, approved, denied or expired; empty for all")
	return cmd
}

// summary is an action in one line.
func summary(words map[string]string) string {
	var parts []string
	for _, key := range sortedKeys(words) {
		if key != "action_hash" && words[key] != "" {
			parts = append(parts, key+"="+words[key])
		}
	}
	return strings.Join(parts, " ")
}

func (c *cli) showApproval(cmd *cobra.Command, a api.ApprovalResponse) error {
	pairs := [][2]string{
		{"ID", a.ID}, {"Status", a.Status}, {"Asked by", a.RequesterType + " " + a.RequesterID}, {"Action", a.Action},
		{"Why people", strings.Join(a.Why, "; ")}, {"Agreed", fmt.Sprintf("%d of %d", len(a.ApprovedBy), a.Needed)},
		{"Expires", until(a.ExpiresAt)}, {"Reason", a.Reason}, {"Transaction", a.TransactionID},
	}
	for _, key := range sortedKeys(a.Summary) {
		pairs = append(pairs, [2]string{"  " + key, a.Summary[key]})
	}
	for _, change := range a.Expected {
		pairs = append(pairs, [2]string{"  would change", fmt.Sprintf("%s of %s by %s", change.Token, change.Address, change.Change)})
	}
	return c.one(cmd, a, pairs)
}

func newApprovalGet(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show all of what was asked for", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			a, err := remote.GetApproval(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.showApproval(cmd, a)
		}),
	}
}

func newApprovalApprove(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "approve ID", Short: "Agree to it, once", Args: cobra.ExactArgs(1),
		Long: `Show what is asked for, ask, and agree to exactly that, once.`,
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			a, err := remote.GetApproval(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !c.yes {
				c.say(cmd, "%s: %s\nWhy people are asked: %s", a.Action, summary(a.Summary), strings.Join(a.Why, "; "))
			}
			if err := c.confirm(cmd, "Agree to this?"); err != nil {
				return err
			}
			if a, err = remote.ApproveRequest(cmd.Context(), args[0]); err != nil {
				return err
			}
			return c.showApproval(cmd, a)
		}),
	}
}

func newApprovalDeny(c *cli) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "deny ID", Short: "Refuse it", Args: cobra.ExactArgs(1),
		RunE: c.work(func(cmd *cobra.Command, remote *client.Client, args []string) error {
			a, err := remote.DenyRequest(cmd.Context(), args[0], api.DenyRequest{Reason: reason})
			if err != nil {
				return err
			}
			return c.showApproval(cmd, a)
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever asked")
	return cmd
}
