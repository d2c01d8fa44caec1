package e2e

import (
	"bufio"
	"errors"
	"net/http"
	"strconv"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	gosdk "github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/cmek"
)

// TestGoClient is the Go SDK with the daemon that it is made for.
func TestGoClient(t *testing.T) {
	d := newLocal(t).start()
	defer d.stop()
	owner := goClient(t, gosdk.Options{BaseURL: d.api, Key: d.owner.APIKey})
	vault, err := owner.CreateVault(t.Context(), api.CreateVaultRequest{Name: "production"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"api-keys/stripe", "db/password"} {
		if _, err := owner.PutSecret(t.Context(), vault.ID, path, api.PutSecretRequest{Value: "value of " + path}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("agent", func(t *testing.T) { goClientAgent(t, owner, vault.ID) })
	t.Run("receipt", func(t *testing.T) { goClientReceipt(t, owner, vault.ID) })
	t.Run("audit", func(t *testing.T) { goClientAudit(t, owner) })
	t.Run("cmek", func(t *testing.T) { goClientCMEK(t, d, owner, vault.ID) })
}

func goClient(t *testing.T, o gosdk.Options) *gosdk.Client {
	t.Helper()
	c, err := gosdk.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// goClientAgent: an agent reads what it was granted, and gets kinds of refusal for the rest.
func goClientAgent(t *testing.T, owner *gosdk.Client, vault string) {
	made, err := owner.CreateAgent(t.Context(), api.CreateAgentRequest{Name: "buyer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := owner.CreatePolicy(t.Context(), vault, api.CreatePolicyRequest{
		SecretPathPattern: "api-keys/*", PrincipalType: "agent", PrincipalID: made.Agent.ID, Permissions: []string{"read"},
	}); err != nil {
		t.Fatal(err)
	}
	agent := owner.As(made.APIKey)
	if s, err := agent.GetSecret(t.Context(), vault, "api-keys/stripe"); err != nil || s.Value != "value of api-keys/stripe" {
		t.Errorf("%q, %v", s.Value, err)
	}
	if session, err := agent.Session(t.Context()); err != nil || session.AgentID != made.Agent.ID {
		t.Errorf("session %+v, %v", session, err)
	}
	for path, want := range map[string]error{"db/password": gosdk.ErrForbidden, "api-keys/none": gosdk.ErrNotFound, "api-keys/..": gosdk.ErrInvalid} {
		if _, err := agent.GetSecret(t.Context(), vault, path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if _, err := agent.ListAgents(t.Context()); !errors.Is(err, gosdk.ErrForbidden) {
		t.Errorf("agents as an agent: %v", err)
	}
	if err := owner.DeleteAgent(t.Context(), made.Agent.ID); err != nil {
		t.Error(err)
	}
	if _, err := agent.GetSecret(t.Context(), vault, "api-keys/stripe"); !errors.Is(err, gosdk.ErrUnauthenticated) {
		t.Errorf("deactivated: %v", err)
	}
}

// goClientReceipt: what an answer says of the log, the log proves.
func goClientReceipt(t *testing.T, owner *gosdk.Client, vault string) {
	var h http.Header
	if _, err := owner.GetSecret(gosdk.CaptureHeader(t.Context(), &h), vault, "db/password"); err != nil {
		t.Fatal(err)
	}
	index, err := strconv.ParseUint(h.Get(gosdk.AuditIndexHeader), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := owner.AuditCheckpoint(t.Context())
	if err != nil || checkpoint.Size <= index {
		t.Fatalf("checkpoint of %d, %v; the event is %d", checkpoint.Size, err, index)
	}
	proof, err := owner.AuditInclusion(t.Context(), index, checkpoint.Size)
	if err != nil || proof.Index != index || proof.Leaf == "" {
		t.Errorf("%+v, %v", proof, err)
	}
	if v, err := owner.VerifyAudit(t.Context(), gosdk.AuditVerification{Checkpoint: []byte(checkpoint.Checkpoint)}); err != nil || !v.ChainValid {
		t.Errorf("%+v, %v", v, err)
	}
}

// goClientAudit: pages of three and the export have the same events.
func goClientAudit(t *testing.T, owner *gosdk.Client) {
	all, err := owner.QueryAuditEvents(t.Context(), gosdk.AuditQuery{Limit: 1000})
	if err != nil || len(all.Events) < 5 {
		t.Fatalf("%d events, %v", len(all.Events), err)
	}
	n := 0
	for e, err := range owner.AuditEvents(t.Context(), gosdk.AuditQuery{Limit: 3}) {
		if err != nil || n < len(all.Events) && e.Index != all.Events[n].Index {
			t.Fatalf("event %d: %d, %v", n, e.Index, err)
		}
		n++
	}
	if n != len(all.Events) {
		t.Errorf("%d events, want %d", n, len(all.Events))
	}
	r, err := owner.ExportAudit(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lines, in := 0, bufio.NewScanner(r)
	for in.Buffer(nil, 1<<20); in.Scan(); {
		lines++
	}
	if in.Err() != nil || lines < n {
		t.Errorf("exported %d lines for %d events, %v", lines, n, in.Err())
	}
}

// goClientCMEK: values are encrypted here, the daemon takes them from one key to
// another, and is none the wiser in between.
func goClientCMEK(t *testing.T, d *daemon, owner *gosdk.Client, vault string) {
	from, to := cmek.NewKey(), cmek.NewKey()
	if _, err := owner.EnableCMEK(t.Context(), vault, api.EnableCmekRequest{Fingerprint: from.Fingerprint()}); err != nil {
		t.Fatal(err)
	}
	for path, sealed := range map[string]string{"cmek/published": from.Seal("secret"), "cmek/hex": from.SealHex("secret")} {
		if _, err := owner.PutSecret(t.Context(), vault, path, api.PutSecretRequest{Value: sealed}); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(key cmek.Key, want error) {
		t.Helper()
		c := goClient(t, gosdk.Options{BaseURL: d.api, Key: d.owner.APIKey, CMEK: map[string][]cmek.Key{vault: {key}}})
		for _, path := range []string{"cmek/published", "cmek/hex"} {
			if s, err := c.GetSecret(t.Context(), vault, path); !errors.Is(err, want) || want == nil && s.Value != "secret" {
				t.Errorf("%s with %v: %q, %v; want %v", path, key, s.Value, err, want)
			}
		}
	}
	reads(from, nil)
	reads(to, cmek.ErrOpen)
	if s, err := owner.GetSecret(t.Context(), vault, "cmek/hex"); err != nil || !s.CMEKEncrypted || s.Value == "secret" {
		t.Errorf("without a key: %+v, %v", s, err)
	}
	job, err := owner.RotateCMEK(t.Context(), vault, from, to)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "rotation", func() bool {
		job, err = owner.GetCMEKRotationJob(t.Context(), vault, job.ID)
		return err != nil || job.Status != "running" && job.Status != "pending"
	})
	if err != nil || job.Status != "completed" {
		t.Fatalf("%+v, %v", job, err)
	}
	reads(to, nil)
	reads(from, cmek.ErrOpen)
}

// TestGoClientTransactions: what a transaction may come to, on a chain.
func TestGoClientTransactions(t *testing.T) {
	d := newLocal(t).start()
	defer d.stop()
	p := newPayer(t, d, nil)
	owner := goClient(t, gosdk.Options{BaseURL: d.api, Key: d.owner.APIKey})
	agent := goClient(t, gosdk.Options{BaseURL: d.api, Key: p.key})
	transfer := func(value string) api.TransactionRequest {
		return api.TransactionRequest{To: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", Value: value, Chain: "base-sepolia"}
	}

	ctx := gosdk.WithIdempotencyKey(t.Context(), "order-1")
	first, err := agent.SubmitTransaction(ctx, p.id, transfer("0.01"))
	if err != nil || first.TxHash == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := agent.SubmitTransaction(ctx, p.id, transfer("0.01")); err != nil || again.ID != first.ID {
		t.Errorf("with the same key: %+v, %v; want %s", again, err, first.ID)
	}
	if _, err := agent.SubmitTransaction(ctx, p.id, transfer("0.02")); !errors.Is(err, gosdk.ErrConflict) {
		t.Errorf("another with the same key: %v", err)
	}
	if c := p.landed(first.ID); c.State != "confirmed" {
		t.Errorf("%+v", c)
	}

	reverts := api.TransactionRequest{Value: "0", Chain: "base-sepolia", Data: "0x60006000fd", GasLimit: new(uint64), SimulateFirst: true}
	*reverts.GasLimit = 100_000
	if tx, err := agent.SubmitTransaction(t.Context(), p.id, reverts); !errors.Is(err, gosdk.ErrInvalid) || tx.Status != "simulation_failed" || tx.ID == "" {
		t.Errorf("that would revert: %+v, %v", tx, err)
	}

	goClientApproval(t, owner, agent, p.id, transfer("0.2"))
	var seen []string
	for tx, err := range agent.Transactions(t.Context(), p.id, gosdk.TransactionQuery{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, tx.ID)
	}
	if len(seen) < 2 || seen[len(seen)-1] != first.ID {
		t.Errorf("page by page: %q, want %s last", seen, first.ID)
	}
}

// goClientApproval: people are asked once, and the same transaction goes out when they
// have agreed.
func goClientApproval(t *testing.T, owner, agent *gosdk.Client, id string, tx api.TransactionRequest) {
	t.Helper()
	rule := api.GuardrailsRequest{Approval: &api.ApprovalRule{AboveETH: "0.1", Approvers: 1}}
	if _, err := owner.UpdateAgentGuardrails(t.Context(), id, rule); err != nil {
		t.Fatal(err)
	}
	var refused *gosdk.Error
	if _, err := agent.SubmitTransaction(t.Context(), id, tx); !errors.Is(err, gosdk.ErrApprovalRequired) || !errors.As(err, &refused) || refused.Problem.Approval == "" {
		t.Fatalf("without people: %v", err)
	}
	asked, err := agent.GetApproval(t.Context(), refused.Problem.Approval)
	if err != nil || asked.Status != "pending" || asked.AgentID != id {
		t.Fatalf("%+v, %v", asked, err)
	}
	if _, err := agent.ApproveRequest(t.Context(), asked.ID); !errors.Is(err, gosdk.ErrForbidden) {
		t.Errorf("the agent agrees with itself: %v", err)
	}
	if done, err := owner.ApproveRequest(t.Context(), asked.ID); err != nil || done.Status != "approved" {
		t.Fatalf("%+v, %v", done, err)
	}
	if sent, err := agent.SubmitTransaction(t.Context(), id, tx); err != nil || sent.TxHash == "" {
		t.Errorf("with them: %+v, %v", sent, err)
	}
}
