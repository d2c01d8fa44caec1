package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
)

func newOutbox() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "Look at what waits to be sent",
		Long: `Mails and webhooks wait in the outbox until the other side has taken them.
Where no mail server is configured (mail.host) this is where invitations and
other mails are read, to be handed on in another way; elsewhere it says why
something did not arrive. Both commands ask a running daemon and need the API
key of an owner, in ONECLAW_API_KEY. Owners of the first organisation see all
messages; reading them is recorded in the audit log.

  oneclawd outbox list --status pending
  oneclawd outbox show 0195a4c2-0000-7000-8000-000000000000`,
	}
	cmd.AddCommand(newOutboxList(), newOutboxShow())
	return cmd
}

func newOutboxList() *cobra.Command {
	var (
		channel, kind, status, before string
		limit                         int
		asJSON                        bool
	)
	cmd := &cobra.Command{Use: "list", Example: "  oneclawd outbox list --status failed --channel mail", Short: "List messages, newest first", Args: cobra.NoArgs}
	connect := remote(cmd)
	f := cmd.Flags()
	f.StringVar(&channel, "channel", "", "only those of mail or webhook")
	f.StringVar(&kind, "kind", "", "only those of a kind, such as invite")
	f.StringVar(&status, "status", "", "only those that are pending, sent or failed")
	f.StringVar(&before, "before", "", "only those older than the message with this id: the next page")
	f.IntVar(&limit, "limit", 50, "how many, at most 200")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query := url.Values{"limit": {strconv.Itoa(limit)}}
		for name, value := range map[string]string{"channel": channel, "kind": kind, "status": status, "before": before} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var list api.OutboxListResponse
		if err := connect().call(cmd.Context(), "GET", "/v1/admin/outbox?"+query.Encode(), nil, &list); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
		}
		return printMessages(cmd.OutOrStdout(), list.Messages)
	}
	return cmd
}

func printMessages(out io.Writer, all []api.OutboxMessageResponse) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tWRITTEN\tSTATUS\tKIND\tTO\tTRIED\tWHY NOT")
	for _, m := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", m.ID, minute(m.CreatedAt), m.Status, m.Kind, oneLine(m.To), m.Attempts, oneLine(m.LastError))
	}
	return w.Flush()
}

func newOutboxShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "show ID", Example: "  oneclawd outbox show 0195a4c2-0000-7000-8000-000000000000", Short: "Read one message", Args: cobra.ExactArgs(1)}
	connect := remote(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var m api.OutboxMessageResponse
		if err := connect().call(cmd.Context(), "GET", "/v1/admin/outbox/"+url.PathEscape(args[0]), nil, &m); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(m)
		}
		return printMessage(cmd.OutOrStdout(), m)
	}
	return cmd
}

func printMessage(out io.Writer, m api.OutboxMessageResponse) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "id\t%s\nkind\t%s, by %s\nto\t%s\n", m.ID, m.Kind, m.Channel, oneLine(m.To))
	if m.Subject != "" {
		fmt.Fprintf(w, "subject\t%s\n", oneLine(m.Subject))
	}
	fmt.Fprintf(w, "written\t%s\nstatus\t%s, tried %d times\n", minute(m.CreatedAt), m.Status, m.Attempts)
	if m.LastError != "" {
		fmt.Fprintf(w, "why not\t%s\n", oneLine(m.LastError))
	}
	if m.Status == "pending" {
		fmt.Fprintf(w, "given up\t%s\n", minute(m.ExpiresAt))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case m.Body != "":
		_, err := fmt.Fprintf(out, "\n%s\n", strings.TrimRight(printable(m.Body), "\n"))
		return err
	case m.Status == "sent":
		_, err := fmt.Fprintln(out, "\nIts text was wiped when it had been sent.")
		return err
	}
	_, err := fmt.Fprintln(out, "\nIts text is for the addressee alone.")
	return err
}

func minute(t api.Time) string { return t.UTC().Format(time.DateTime) }

// printable is a text without what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// oneLine is printable, as a cell of a table.
func oneLine(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }
