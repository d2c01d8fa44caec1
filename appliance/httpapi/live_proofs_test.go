package httpapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/vault/audit"
)

func base64url(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signed is a checkpoint that was verified with the pinned key alone.
type signed struct {
	note string
	size int64
	root tlog.Hash
}

func (l *live) checkpoint(as string) signed {
	l.Helper()
	a := l.want(step{name: "checkpoint", url: "/v1/audit/checkpoint", as: as, status: 200, event: "none"})
	if got := a.text("verifier_key"); got != l.verifierKey {
		l.Errorf("the verifier key is %s, want %s", got, l.verifierKey)
	}
	v, err := note.NewVerifier(l.verifierKey)
	l.ok(err)
	n, err := note.Open([]byte(a.text("checkpoint")), note.VerifierList(v))
	l.ok(err)
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	l.ok(err)
	root, err := tlog.ParseHash(lines[2])
	l.ok(err)
	if a.value("size") != float64(size) || a.text("root_hash") != root.String() {
		l.Errorf("what is signed is not what is shown: %s", a.Body)
	}
	return signed{a.text("checkpoint"), size, root}
}

func hashesOf(t testing.TB, a answered) []tlog.Hash {
	t.Helper()
	out := []tlog.Hash{}
	for _, h := range a.value("hashes").([]any) {
		parsed, err := tlog.ParseHash(h.(string))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed)
	}
	return out
}

// TestU4ReceiptsAreProvable follows a receipt to the signed root with nothing
// but the pinned key.
func TestU4ReceiptsAreProvable(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	var answers []answered
	for i := range 20 {
		answers = append(answers, l.put(v, "a", fmt.Sprint(i)), l.want(step{url: v + "/secrets/a", as: "owner", status: 200}),
			l.want(step{url: v + "/secrets/a", as: "member", status: 403}))
		if i == 10 { // proofs do not care where events are
			_, err := l.drainer.Drain(t.Context())
			l.ok(err)
		}
	}
	cp := l.checkpoint("owner")
	for _, a := range answers {
		index, err := strconv.ParseInt(a.Header().Get("X-Audit-Index"), 10, 64)
		l.ok(err)
		p := l.want(step{name: "proof", url: fmt.Sprintf("/v1/audit/proof/inclusion?index=%d&size=%d", index, cp.size), as: "owner", status: 200, keys: "index size leaf hashes", event: "none"})
		leaf, err := base64.StdEncoding.DecodeString(p.text("leaf"))
		l.ok(err)
		hash := tlog.RecordHash(leaf)
		if base64.StdEncoding.EncodeToString(hash[:]) != a.Header().Get("X-Audit-Leaf") || eventOf(t, leaf).ID != a.Header().Get("X-Audit-Event") {
			t.Errorf("event %d is not the one of the receipt", index)
		}
		if err := tlog.CheckRecord(hashesOf(t, p), cp.size, cp.root, index, hash); err != nil {
			t.Errorf("event %d: %v", index, err)
		}
	}
	ask := func(name, query string, status int, as string) step {
		return step{name: name, url: "/v1/audit/proof/inclusion?" + query, as: as, status: status}
	}
	l.run(t, []step{
		ask("no index", "size=3", 400, "owner"),
		ask("no size", "index=3", 400, "owner"),
		ask("no events", "index=0&size=0", 400, "owner"),
		ask("beyond the size", "index=3&size=3", 400, "owner"),
		ask("beyond the log", fmt.Sprintf("index=0&size=%d", cp.size+1000), 400, "owner"),
		ask("no such event", fmt.Sprintf("index=%d&size=%d", cp.size+1000, cp.size), 404, "owner"),
		ask("a huge index", "index=18446744073709551615&size=18446744073709551615", 404, "owner"),
		ask("negative", "index=-1&size=3", 400, "owner"),
		ask("over 64 bits", "index=18446744073709551616&size=3", 400, "owner"),
		ask("nonsense", "index="+canary+"&size="+canary, 400, "owner"),
		ask("of another organisation", fmt.Sprintf("index=1&size=%d", cp.size), 404, "stranger"),
		ask("nobody", "index=0&size=1", 401, ""),
	})
}

func TestU4TheLogOnlyGrows(t *testing.T) {
	l := newLive(t)
	checkpoints := []signed{l.checkpoint("owner")}
	for range 4 {
		for range 3 {
			l.vault("owner", "v")
		}
		checkpoints = append(checkpoints, l.checkpoint("owner"))
	}
	if same := l.checkpoint("owner"); same != checkpoints[4] {
		t.Error("a log that did not grow was signed again")
	}
	for i, older := range checkpoints {
		for _, newer := range checkpoints[i:] {
			p := l.want(step{name: "proof", url: fmt.Sprintf("/v1/audit/proof/consistency?from=%d&to=%d", older.size, newer.size), as: "owner", status: 200, keys: "from to hashes"})
			if err := tlog.CheckTree(hashesOf(t, p), newer.size, newer.root, older.size, older.root); err != nil {
				t.Errorf("%d to %d: %v", older.size, newer.size, err)
			}
		}
	}
	for _, query := range []string{"", "from=1", "to=2", "from=0&to=2", "from=3&to=2", "from=1&to=100000", "from=-1&to=2", "from=" + canary + "&to=2", "from=1&to=18446744073709551615"} {
		l.want(step{name: query, url: "/v1/audit/proof/consistency?" + query, as: "owner", status: 400})
	}
}

func TestU4Export(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a/b", canary)
	_, err := l.drainer.Drain(t.Context())
	l.ok(err)
	l.agent("bot", "")
	l.want(step{method: post, url: "/v1/agents", as: "stranger", body: `{"name":"theirs"}`, status: 201})
	old := l.checkpoint("owner")
	const denied = "audit.export refused access_denied"
	l.run(t, []step{
		{name: "an agent", url: "/v1/audit/export", as: "bot", status: 403, event: denied},
		{name: "a member", url: "/v1/audit/export", as: "member", status: 403, event: denied},
		{name: "an owner of another organisation", url: "/v1/audit/export", as: "stranger", status: 403, event: denied},
		{name: "nobody", url: "/v1/audit/export", status: 401},
	})
	l.tokens["admin"] = l.person(l.org, "admin")
	l.want(step{name: "an admin", url: "/v1/audit/export", as: "admin", status: 403, event: denied})
	a := l.want(step{name: "an owner of the platform", url: "/v1/audit/export", as: "owner", status: 200, event: "audit.export success", want: map[string]string{"Content-Type": "application/jsonl"}})
	whole := a.Body.Bytes()
	report, err := audit.VerifyExport(bytes.NewReader(whole), l.verifierKey, []byte(old.note), "")
	if err != nil || !report.OK() || report.Checked != report.Size || report.Size < uint64(old.size) || len(report.Unchecked) > 0 {
		t.Fatalf("%v %+v", err, report)
	}
	if !bytes.Contains(whole, []byte("theirs")) || !bytes.Contains(whole, []byte(`"audit.export"`)) {
		t.Error("it is not the whole appliance's log, with the export itself in it")
	}
	rest := l.want(step{name: "what came after", url: fmt.Sprintf("/v1/audit/export?from=%d", report.Size), as: "owner", status: 200})
	if later, err := audit.VerifyExport(rest.Body, l.verifierKey, report.Checkpoint.Note, ""); err != nil || !later.OK() || later.First != report.Size {
		t.Errorf("%v %+v", err, later)
	}
	l.want(step{name: "beyond the end", url: "/v1/audit/export?from=1000000", as: "owner", status: 400, has: []string{"audit_beyond_end"}})
	l.want(step{name: "no number", url: "/v1/audit/export?from=-1", as: "owner", status: 400})
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, forged := range map[string][]byte{
		"a changed record": bytes.Replace(whole, []byte("theirs"), []byte("others"), 1),
		"a missing record": append(bytes.Join(lines[:2], nil), bytes.Join(lines[3:], nil)...),
		"cut off":          bytes.Join(lines[:len(lines)-3], nil),
	} {
		if report, err := audit.VerifyExport(bytes.NewReader(forged), l.verifierKey, []byte(old.note), ""); err == nil && report.OK() {
			t.Errorf("%s is not noticed", name)
		}
	}
}

// TestU4ASealedApplianceRefusesBeforeItAnswers: an export without its signature
// would be a success that is none.
func TestU4ASealedApplianceRefusesBeforeItAnswers(t *testing.T) {
	l := newLive(t)
	l.ok(l.gate.Close())
	for _, url := range []string{"/v1/audit/export", "/v1/audit/checkpoint"} {
		l.want(step{name: url, url: url, as: "owner", status: 503, has: []string{`"code":"sealed"`}})
	}
}
