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
